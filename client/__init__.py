"""Stowgram's own HTTP client, of which `put`, `get`, `zip`, `share` and others are made. The home of httpx.

It knows the routes of docs/http-api.md and no room of the server.

    api       one server: requests, errors, patience      nodes     the tree of names there
    upload    one file in, resumable (tus)                download  one file out, resumable and verified
    tree      whole folders, both ways                    digest    a file's identity
    archives  folders as ZIPs, resumable and tested       partial   the bytes of an address, as far as they are here
    shares    links for others
"""
