"""Letters to people: `smtp` hands them to a mail server. What they say is the gateway's."""
