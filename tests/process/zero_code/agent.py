"""An agent as a program would have it."""

from agents import Agent, Runner

agent = Agent(name="Helper", instructions="Answer in one sentence.", model="litellm/openai/gpt-4.1-mini")


async def answer(question: str) -> str:
    """Return the agent's answer."""
    result = await Runner.run(agent, question)
    return str(result.final_output)
