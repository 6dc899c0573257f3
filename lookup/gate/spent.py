"""A solution that was used on one node is used up on the others a moment later: nodes tell each other through Redis."""

import asyncio

from kit.redis_listening import listen
from kit.redis_servers import RedisServer
from lookup.gate.challenge import ID_LENGTH, Challenger

CHANNEL = "bd:spent-challenges"
EVERY_SECONDS = 0.1


class SpentSolutions:
    """What one web process tells and hears. While Redis is away a solution is good once on each node."""

    def __init__(self, challenger: Challenger, redis: RedisServer, redis_url: str) -> None:
        self._challenger, self._redis, self._redis_url = challenger, redis, redis_url

    async def keep_telling(self) -> None:
        """Tell, a few times a second, until cancelled."""
        while True:
            await asyncio.sleep(EVERY_SECONDS)
            if spent := b"".join(self._challenger.take_spent()):
                await self._redis.ask(lambda client, spent=spent: client.publish(CHANNEL, spent))

    async def keep_hearing(self) -> None:
        """Hear, until cancelled."""
        await listen(self._redis_url, CHANNEL, self.hear)

    def hear(self, message: bytes) -> None:
        """Ids one behind the other; whatever else it is uses up nothing that was ever given out."""
        for start in range(0, len(message) - len(message) % ID_LENGTH, ID_LENGTH):
            self._challenger.hear_spent(message[start : start + ID_LENGTH])
