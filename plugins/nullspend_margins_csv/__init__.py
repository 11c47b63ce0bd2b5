"""Revenue from CSV files. A plugin like any other: it uses the product's public API."""
