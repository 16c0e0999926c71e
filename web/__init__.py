"""The front door: HTTP in, verbs of the gateway, HTTP out. The only home of Flask, with app.py.

wire/       how a request is read, an answer written    access/      who is asking, and may they
tree/       names, the bin                              incoming/    bytes on their way in
outgoing/   bytes on their way out: files, ZIPs         moving/      transfers, a place in line
sharing/    links for others, and who has one           happening/   events, also as they come
monitoring/ health, metrics, the overview               openapi/     the API, described
page        the application's one document              static/  templates/  what browsers get
"""

VERSION = "0.1.0"
"""What pyproject.toml says, too: a test holds them together."""
