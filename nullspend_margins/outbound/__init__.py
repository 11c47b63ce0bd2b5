"""Requests to addresses that people configured: webhooks, chat. Nothing internal is reached.

``contract`` is what plugins see, ``client`` does it; ``addresses`` and ``target`` say what may
be reached, ``lookup`` asks the name service and ``exchange`` sends one request.
"""
