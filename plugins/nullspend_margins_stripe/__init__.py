"""The Stripe revenue provider of NullSpend Margins.

Loaded by the entry point ``stripe``; configured by ``[plugins.stripe]``. It imports the public
API of ``nullspend_margins`` and nothing behind it, as any third party's plugin would.
"""
