"""Where finished files rest a while, outside of Telegram and of this machine. `base` is the contract."""
