"""The plugin in the real proxy, as a user starts it: needs `pip install "litellm[proxy]"`."""
