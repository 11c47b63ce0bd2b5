"""What the Connect pages show and take: states in words, forms as providers describe them."""
