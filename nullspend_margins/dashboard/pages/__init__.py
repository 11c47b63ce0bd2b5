"""One module a page: what it asks the services, and what its template gets."""
