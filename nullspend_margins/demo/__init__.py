"""The product with a sample company, nothing to configure; and a Stripe-shaped server."""
