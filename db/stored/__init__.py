"""What rests in the store: contents, every message, what is to be deleted there, how much is whose."""
