"""Agent frameworks: bursar.llm.agents.pydantic_ai, .openai_agents, .langchain, .crewai and .google_adk. Each request that an agent sends to
its model is checked before the framework's own loops of retries see it, and recorded with the framework's usage object. A denial is Denied,
a RuntimeError, which ends the run. A whole run as one request: `bursar.run(...)` and `job.usage(result.usage, provider="pydantic-ai")`."""
