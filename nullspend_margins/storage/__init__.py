"""All SQL of the product. One module a subject; services decide what is one transaction."""
