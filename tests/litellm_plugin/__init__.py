"""The LiteLLM plugin without LiteLLM: what is pure, and its tables as LiteLLM makes them."""
