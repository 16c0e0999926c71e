"""`serve`: composes the rooms, runs them until somebody says stop, and takes them apart in reverse order."""

from __future__ import annotations

import logging
import platform
import secrets
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import click

import config
from app import create_app
from cli import datadir, logs
from cli.interrupts import Interrupts
from cli.sandbox_process import SandboxProcess
from config import LOCAL_TOKEN_FILE, Settings
from db import Database
from errors import Transient
from gateway import Gateway, Limits, Post
from gateway.access.people import People
from gateway.background import letters, zips
from jobs.keeper import Keeper
from jobs.worker import Workers
from mail.smtp import Postman
from model import MIB, User
from serving import Server
from storage.base import ChunkStore
from storage.cache.store import CachedStore
from storage.objects.base import ObjectStore
from storage.telegram.store import TelegramStore
from streaming.staging import Staging
from web.outgoing import prepared

log = logging.getLogger(__name__)

CONNECT_PATIENCE = 20.0
"""Seconds that the first connection to Telegram may take before we serve without it and connect later."""
CACHE_IN_MEMORY = 16 * MIB
"""Bytes of the cache's pieces that are kept in memory, in front of those on disk."""
_LOCAL_TOKEN = "this host"
"""The name of the token that commands on this host use."""


@click.command()
def serve() -> None:
    """Serve, until Ctrl-C. This is what happens without a command, too."""
    settings = config.read()
    interrupts = Interrupts()
    with interrupts.caught(), ExitStack() as house:
        try:
            settings = datadir.prepare(settings)
            house.enter_context(datadir.owned(settings.data_dir))
            datadir.claim(settings.data_dir, "telegram" if settings.telegram else "sandbox")
            logs.set_up(settings.log_level, settings.log_format)
            gateway, server = _compose(settings, house)

            def stop() -> None:
                gateway.wind_down()
                server.stop()

            interrupts.tell(stop)
            server.run()
            log.info("stopping")
        except KeyboardInterrupt:  # while we were still starting
            log.info("stopped before everything was up")


def _compose(settings: Settings, house: ExitStack) -> tuple[Gateway, Server]:
    """Everything, ready to run; `house` takes it apart again."""
    database = Database(settings.database_url)
    house.callback(database.close)
    database.migrate()
    store = _store(settings, house)
    staging = Staging(settings.data_dir / "staging", limit=settings.staging_size)
    limits = Limits(
        chunk_size=settings.chunk_size,
        yield_size=settings.streaming_chunk_size,
        downloads=settings.max_concurrent_downloads,
        downloads_per_user=settings.max_concurrent_downloads_per_user,
        connections_per_download=settings.max_connections_per_download,
        user_rate=settings.download_rate_limit,
        total_rate=settings.total_rate_limit,
        bin_days=settings.bin_days,
        zip_cache=settings.prepared.cache_size,
        zip_cache_hours=settings.prepared.cache_hours,
        zip_level=settings.prepared.level,
    )
    objects, post = _objects(settings, house), _post(settings)
    gateway = Gateway(database, store, staging, settings.data_dir, limits, objects=objects, post=post)
    house.callback(gateway.close)
    server = Server(create_app(gateway, settings), settings)
    server.bind()
    admin, password = _admin(gateway.people, settings)
    _keep_local_token(gateway.people, admin, settings.data_dir / LOCAL_TOKEN_FILE)
    keeper = Keeper(gateway)
    house.callback(keeper.stop)
    keeper.start()
    # Letters have a thread of their own: none waits for hours of packing, and no ZIP for a mail server that hangs.
    threads = {zips.KIND: settings.prepared.workers, letters.KIND: 1}
    workers = Workers(gateway.jobs, f"{platform.node()} {settings.data_dir}", threads)
    house.callback(workers.stop)
    workers.start()
    _greet(settings, server, admin, password)
    return gateway, server


def _store(settings: Settings, house: ExitStack) -> ChunkStore:
    """Telegram, or the embedded sandbox when nothing of Telegram is set."""
    telegram, mode = settings.telegram, "telegram"
    if telegram is None:
        data = settings.data_dir
        sandbox = SandboxProcess(data / "sandbox", data / "logs" / "sandbox.log")
        house.callback(sandbox.stop)
        telegram, mode = sandbox.start(), "sandbox"
        log.warning("SANDBOX: files stay on this machine and do not reach Telegram; set TELEGRAM_* for that")
    # A folder for each: what a bot of the sandbox is signed in to is nothing that Telegram knows.
    sessions = settings.data_dir / ("telegram" if mode == "telegram" else "sandbox-sessions")
    store = TelegramStore(telegram, sessions, mode)
    house.callback(store.close)
    try:
        store.start(CONNECT_PATIENCE)
    except Transient as error:
        log.error("Telegram is out of reach; serving without it until it is back: %s", error)
    if not settings.cache_size:
        return store
    folder = settings.cache_dir or settings.data_dir / "cache"
    cached = CachedStore(store, folder, settings.cache_size, CACHE_IN_MEMORY)
    house.callback(cached.close)
    return cached


def _objects(settings: Settings, house: ExitStack) -> ObjectStore | None:
    """The bucket, where there is one; whether it works is seen once we run."""
    if settings.objects is None:
        return None
    from storage.objects.s3 import Bucket  # a third of a second and 30 MB that most need not pay

    bucket = Bucket(settings.objects)
    house.callback(bucket.close)
    return bucket


def _post(settings: Settings) -> Post | None:
    """Who takes our letters, where somebody does."""
    if settings.mail is None or settings.base_url is None:
        return None
    address = partial(prepared.address, settings, settings.base_url)
    return Post(Postman(settings.mail), address, settings.base_url)


def _admin(people: People, settings: Settings) -> tuple[User, str | None]:
    """The first admin, made on the first start; with the password if nobody can know it yet."""
    for user in people.all():
        if user.is_admin:
            return user, None
    password = settings.admin_password or secrets.token_urlsafe(12)
    user = people.add(settings.admin_username, password, is_admin=True)
    return user, None if settings.admin_password else password


def _keep_local_token(people: People, admin: User, path: Path) -> None:
    """See that commands on this host find a token that works."""
    if path.is_file() and people.by_token(path.read_text(encoding="utf-8").strip()) is not None:
        return
    for token in people.tokens(admin):
        if token.name == _LOCAL_TOKEN:
            people.revoke(admin, token.id)
    datadir.keep_secret(path, people.make_token(admin, _LOCAL_TOKEN)[1])


def _greet(settings: Settings, server: Server, admin: User, password: str | None) -> None:
    host, port = server.addresses[0]
    here = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    lines = [
        f"Stowgram serves on {settings.base_url or here}",
        f"  data     {settings.data_dir}",
        "  storage  " + ("Telegram" if settings.telegram else "SANDBOX: files stay on this machine"),
    ]
    if password is not None:
        lines.append(f"  admin    {admin.name}   password {password}   (shown only this once)")
    click.echo("\n".join([*lines, "Ctrl-C stops it."]))
