"""The clients that a bot's settings make."""

from contextlib import AsyncExitStack
from pathlib import Path

from bot.clients import open_storage
from bot.settings import Settings


async def test_the_embedded_servers_memory(tmp_path: Path) -> None:
    """It may hold what the settings say."""
    settings = Settings(
        _env_file=None,
        telegram_token="1:a",
        folder_id="folder",
        api_key="key",
        data_dir=tmp_path / "data",
        embedded_memory="64MB",
    )
    async with AsyncExitStack() as stack:
        redis = await open_storage(settings, stack)
        assert (await redis.config_get("maxmemory"))["maxmemory"] == str(64 * 1024 * 1024)
