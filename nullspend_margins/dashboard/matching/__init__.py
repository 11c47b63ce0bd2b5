"""What the matching pages are made of: lists, uploads, and taking changes back."""
