"""Bytes on their way out: files, small pictures, folders as ZIPs, and their addresses without a cookie."""
