"""Telegram's API: a handler for each method that a store of files needs, as https://core.telegram.org/methods has it.

A handler takes a Call and its request and gives the result, or raises RpcError. It must never know of connections.
"""
