"""What a Python program tells Slipway of itself. Only the standard library is used; nothing here is ever fatal."""
