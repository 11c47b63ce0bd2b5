"""The wire: structs that check what comes in, shape what goes out and describe both in OpenAPI."""
