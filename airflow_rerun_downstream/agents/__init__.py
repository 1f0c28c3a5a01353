"""A server of the Model Context Protocol, for AI agents, on the client: it reads, explains and proposes."""
