"""Bytes on their way out: files, and folders as ZIPs."""
