"""What a bot does in a chat with rocketchat-async, the Python client for the realtime connection. The visitor is at rocketchat-API.

Usage: python_live.py URL USERNAME EMAIL PASSWORD

Says what it does. If the server answers or tells anything else than the client needs, it ends there with an error.
"""

import asyncio
import sys

from rocketchat_API.rocketchat import RocketChat as Site
from rocketchat_async import RocketChat

from checks import PASSWORD, equal

TOKEN = "token-of-grace"

# How long something may take that is on its way, in seconds.
PATIENCE = 20


class Heard:
    """What a subscription brings, in the order in which it comes."""

    def __init__(self):
        self.queue = asyncio.Queue()

    def __call__(self, *told):
        self.queue.put_nowait(told)

    async def until(self, what, is_it):
        """Waits for something among what comes."""
        while True:
            told = await asyncio.wait_for(self.queue.get(), PATIENCE)
            if is_it(*told):
                print(f"rocketchat-async hears {what}", flush=True)
                return told


class Work:
    """A chat that a bot serves."""

    def __init__(self, url, username, _email, password):
        self.url = url
        self.address = url.replace("http", "ws", 1) + "/websocket"
        self.admin = Site(username, password, server_url=url)
        self.site = Site(server_url=url)
        self.agent = self.bot_id = self.room = None

    def prepare(self):
        """Makes the bot an agent, and lets a visitor open a chat."""
        self.bot_id = self.admin.users_create("bot@example.com", "Bot", PASSWORD, "bot")["user"]["_id"]
        self.admin.livechat_create_user("agent", username="bot")
        self.agent = Site("bot", PASSWORD, server_url=self.url)
        self.agent.users_set_status(message="", status="online")
        self.agent.call_api_post("livechat/agent.status", status="available")
        self.admin.call_api_post("settings/Livechat_Routing_Method", value="Manual_Selection")
        self.site.livechat_register_visitor(TOKEN, visitor={"name": "Grace"})
        self.room = self.site.livechat_room(TOKEN)["room"]["_id"]
        inquiry = self.agent.livechat_inquiries_get_one(self.room)["inquiry"]["_id"]
        return lambda: self.agent.livechat_inquiries_take(inquiry)

    def say(self, text):
        """The visitor says something."""
        return self.site.livechat_message(TOKEN, self.room, text)["message"]

    async def log_in(self):
        """Logs in with a password."""
        refused = RocketChat()
        try:
            await refused.start(self.address, "bot", "another password")
        except RuntimeError as refusal:
            equal("what a wrong password is told", str(refusal), "User not found")
        else:
            raise AssertionError("a wrong password is not refused")
        bot = RocketChat()
        await bot.start(self.address, "bot", PASSWORD)
        equal("who has logged in", bot.user_id, self.bot_id)
        return bot

    async def chat(self):
        """Does everything."""
        take = self.prepare()
        bot = await self.log_in()
        rooms, messages = Heard(), Heard()
        await bot.subscribe_to_channel_changes(rooms)
        take()
        await rooms.until("of the chat that it serves", lambda room, kind: (room, kind) == (self.room, "l"))
        equal("the chats in its list", await bot.get_channels(), [(self.room, "l")])
        equal("the chat as it is listed", (await bot.get_channels_raw())[0]["fname"], "Grace")

        subscription = await bot.subscribe_to_channel_messages(self.room, messages)
        asked = self.say("Is anybody there?")
        told = await messages.until("what the visitor says", lambda _room, _sender, _id, _thread, text, *_: text == asked["msg"])
        equal("the room, who said it and its id", told[:3], (self.room, asked["u"]["_id"], asked["_id"]))
        await bot.send_typing_event(self.room)
        await bot.send_message("I am", self.room)
        told = await messages.until("what it says itself", lambda _room, _sender, _id, _thread, text, *_: text == "I am")
        equal("who said it", told[1], self.bot_id)
        latest = next(iter(self.site.livechat_messages_history(self.room, TOKEN, count=1, max_count=1)))
        equal("what the visitor reads", (latest["msg"], latest["u"]["username"]), ("I am", "bot"))

        await bot.send_reaction(asked["_id"], ":wave:")
        is_marked = lambda _room, _sender, identity, *_, repeated: identity == asked["_id"] and repeated
        await messages.until("that the message changed", lambda *told: is_marked(*told[:-1], repeated=told[-1]))
        edited = self.agent.chat_update(self.room, told[2], "I am here")["message"]
        equal("the text that is edited", edited["msg"], "I am here")
        await messages.until("the edited text", lambda _room, _sender, _id, _thread, text, *_: text == "I am here")

        await bot.unsubscribe(subscription)
        again = RocketChat()
        await again.resume(self.address, "bot", self.agent.headers["X-Auth-Token"])
        equal("who comes again with a token", again.user_id, self.bot_id)
        later = Heard()
        await again.subscribe_to_channel_messages_raw(self.room, later)
        self.say("And now?")
        (told,) = await later.until("the visitor on another connection", lambda message: message["msg"] == "And now?")
        equal("when it was said", list(told["ts"]), ["$date"])
        # Whoever has taken a subscription back is told no more, not even by now.
        await bot.send_message("Bye", self.room)
        equal("what comes without a subscription", messages.queue.qsize(), 0)


asyncio.run(Work(*sys.argv[1:]).chat())
