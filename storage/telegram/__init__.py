"""The store on Telegram: the home of Telethon and asyncio. Nothing above `store.py` knows that either exists."""
