"""The front door: HTTP in, verbs of the gateway, HTTP out. The only home of Flask, with app.py.

auth      who is asking               errors    our errors as HTTP, in one table
ranges    RFC 9110, pure              inputs    what a request says, checked
download  content  uploads  nodes  tokens  session  health  page: the routes
"""

VERSION = "0.1.0"
"""What pyproject.toml says, too: a test holds them together."""
