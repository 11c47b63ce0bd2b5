"""LiteLLM's proxy as host and as source: its calls as costs, its keys as sessions.

``proxy`` is what the proxy's own configuration names; ``plugin`` is what the product loads. A
plugin like any other: it uses the product's public API.
"""
