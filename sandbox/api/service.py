"""help.* and updates.*: what a client asks before and beside its work. Nothing is ever pushed to clients."""

from __future__ import annotations

import time
from typing import Any

from telethon.tl import functions, types

from sandbox.api.call import Audience, Call, RpcError, method
from sandbox.api.views import at

CAPTION_LENGTH = 1024
"""UTF-16 units in a caption: caption_length_limit_default of https://core.telegram.org/api/config."""
MAX_PARTS = 4000
"""upload_max_fileparts_default."""
MAX_PARTS_PREMIUM = 8000


@method(functions.help.GetConfigRequest, Audience.ANYBODY)
def get_config(call: Call, request: Any) -> Any:
    now = int(time.time())
    return types.Config(
        date=at(now),
        expires=at(now + 3600),
        test_mode=False,
        this_dc=call.dc,
        dc_options=[
            types.DcOption(
                address.dc, call.world.host, address.port, media_only=address.media_only, this_port_only=True
            )
            for address in call.world.addresses
        ],
        dc_txt_domain_name="localhost",
        chat_size_max=200,
        megagroup_size_max=200_000,
        forwarded_count_max=100,
        online_update_period_ms=210_000,
        offline_blur_timeout_ms=5_000,
        offline_idle_timeout_ms=30_000,
        online_cloud_timeout_ms=300_000,
        notify_cloud_delay_ms=30_000,
        notify_default_delay_ms=1_500,
        push_chat_period_ms=60_000,
        push_chat_limit=2,
        edit_time_limit=172_800,
        revoke_time_limit=2_147_483_647,
        revoke_pm_time_limit=2_147_483_647,
        rating_e_decay=2_419_200,
        stickers_recent_limit=200,
        channels_read_media_period=604_800,
        call_receive_timeout_ms=20_000,
        call_ring_timeout_ms=90_000,
        call_connect_timeout_ms=30_000,
        call_packet_timeout_ms=10_000,
        me_url_prefix="https://t.me/",
        caption_length_max=CAPTION_LENGTH,
        message_length_max=4096,
        webfile_dc_id=call.world.home,
    )


@method(functions.help.GetAppConfigRequest, Audience.ANYBODY)
def get_app_config(call: Call, request: Any) -> Any:
    numbers = {
        "upload_max_fileparts_default": MAX_PARTS,
        "upload_max_fileparts_premium": MAX_PARTS_PREMIUM,
        "caption_length_limit_default": CAPTION_LENGTH,
        "caption_length_limit_premium": 4096,
        "large_queue_max_active_operations_count": 2,
        "small_queue_max_active_operations_count": 5,
    }
    values = [types.JsonObjectValue(name, types.JsonNumber(float(value))) for name, value in numbers.items()]
    return types.help.AppConfig(1, types.JsonObject(values))


@method(functions.help.GetNearestDcRequest, Audience.ANYBODY)
def get_nearest_dc(call: Call, request: Any) -> Any:
    return types.NearestDc("XX", call.dc, call.world.home)


@method(functions.help.GetCdnConfigRequest, Audience.ANYBODY)
def get_cdn_config(call: Call, request: Any) -> Any:
    return types.CdnConfig([])


@method(functions.updates.GetStateRequest)
def get_state(call: Call, request: Any) -> Any:
    return types.updates.State(pts=1, qts=0, date=at(int(time.time())), seq=1, unread_count=0)


@method(functions.updates.GetDifferenceRequest)
def get_difference(call: Call, request: Any) -> Any:
    return types.updates.DifferenceEmpty(at(int(time.time())), seq=1)


@method(functions.updates.GetChannelDifferenceRequest)
def get_channel_difference(call: Call, request: Any) -> Any:
    channel = call.world.records.channel(getattr(request.channel, "channel_id", 0))
    if channel is None:
        raise RpcError(400, "CHANNEL_INVALID")
    return types.updates.ChannelDifferenceEmpty(channel.pts, final=True, timeout=3600)
