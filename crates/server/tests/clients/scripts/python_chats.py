"""What agents, bots and the scripts of a site do in chats with rocketchat-API, the client for Python.

Usage: python_chats.py URL USERNAME EMAIL PASSWORD

Says what it does. If the server answers anything else than the client needs, it ends there with an error.
"""

import sys

from rocketchat_API.rocketchat import RocketChat

from checks import PASSWORD, contains, equal, refused, run

TOKEN = "token-of-grace"


def texts(messages):
    """What people wrote, without what the server notes."""
    return [message["msg"] for message in messages if "t" not in message]


def refusal(what, text, call):
    """Checks that a call is refused with exactly this text."""
    equal(f"{what}: the text", refused(what, 400, None, call).response_json["error"], text)


class Work:
    """A chat from its beginning to its end, and what is done besides."""

    def __init__(self, url, username, _email, password):
        self.url = url
        self.admin = RocketChat(username, password, server_url=url)
        self.site = RocketChat(server_url=url)
        self.agent = self.agent_id = self.visitor = self.room = None

    def create(self, username, **options):
        """Creates a user. Gives its id, and the client with which it has logged in."""
        user = self.admin.users_create(f"{username}@example.com", username.title(), PASSWORD, username, **options)["user"]
        return user["_id"], RocketChat(username, PASSWORD, server_url=self.url)

    def close(self, user, **options):
        """Closes the chat as a user. The client has no call for that."""
        return user.call_api_post("livechat/room.closeByUser", rid=self.room, **options)

    def employ(self):
        """makes users agents and managers, and dismisses them"""
        self.agent_id, self.agent = self.create("ada")
        refused("no right to see a chat", 403, None, lambda: self.agent.livechat_inquiries_get_one("none"))
        added = self.admin.livechat_create_user("agent", username="ada")
        equal("the new agent", added, {"user": {"_id": self.agent_id, "username": "ada"}, "success": True})
        equal("the same again", self.admin.livechat_create_user("agent", username="ada"), added)
        nobody = lambda: self.admin.livechat_create_user("agent", username="nobody")
        refused("nobody as an agent", 400, "error-invalid-user", nobody)
        refused("no name", 400, "invalid-params", lambda: self.admin.livechat_create_user("agent"))
        refusal("a kind that is none", "Invalid type", lambda: list(self.admin.livechat_get_users("monarch")))

        others = [self.create(name)[0] for name in ("bert", "cleo", "dora", "emil")]
        for name in ("bert", "cleo", "dora", "emil"):
            self.admin.livechat_create_user("agent", username=name)
        names = [user["username"] for user in self.admin.livechat_get_users("agent", count=2)]
        equal("the agents in pages of two", names, ["ada", "bert", "cleo", "dora", "emil"])
        listed = next(self.admin.livechat_get_users("agent", count=1))
        equal("an agent of the list", (listed["_id"], listed["statusLivechat"]), (self.agent_id, "available"))
        equal("the agent's departments", listed["departments"], [])
        equal("found by name", [user["username"] for user in self.admin.livechat_get_users("agent", text="cle")], ["cleo"])
        found = self.admin.livechat_get_user("agent", self.agent_id)["user"]
        equal("one agent", (found["username"], found["statusLivechat"]), ("ada", "available"))

        self.admin.livechat_create_user("manager", username="bert")
        equal("the managers", [user["username"] for user in self.admin.livechat_get_users("manager")], ["bert"])
        equal("the end of a manager", self.admin.livechat_delete_user("manager", others[0]), {"success": True})
        equal("the managers afterwards", list(self.admin.livechat_get_users("manager")), [])
        for identity in others:
            equal("the end of an agent", self.admin.livechat_delete_user("agent", identity), {"success": True})
        equal("who is no agent any more", self.admin.livechat_get_user("agent", others[0]), {"user": None, "success": True})
        equal("the agents afterwards", [user["username"] for user in self.admin.livechat_get_users("agent")], ["ada"])
        refusal("an unknown user", "User not found", lambda: self.admin.livechat_get_user("agent", "nobody"))
        nobody = refused("the end of nobody", 400, None, lambda: self.admin.livechat_delete_user("agent", "nobody"))
        equal("all that is said of it", nobody.response_json, {"success": False})

    def status(self):
        """sets an agent's status"""
        equal("the answer", self.agent.users_set_status("here", status="online"), {"success": True})
        equal("the presence", self.agent.users_get_presence(username="ada")["presence"], "online")
        status = self.agent.call_api_post("livechat/agent.status", status="not-available")["status"]
        equal("whether the agent takes chats", status, "not-available")
        equal("the list of those who do", list(self.admin.livechat_get_users("agent", onlyAvailable="true")), [])
        self.agent.call_api_post("livechat/agent.status", status="available")
        available = [user["username"] for user in self.admin.livechat_get_users("agent", onlyAvailable="true")]
        equal("the list of those who do again", available, ["ada"])

    def register(self):
        """registers a visitor"""
        person = {"name": "Grace Hopper", "email": "Grace@Example.com", "phone": "+49 30 1234"}
        self.visitor = self.site.livechat_register_visitor(TOKEN, visitor=person)["visitor"]
        equal("the token", self.visitor["token"], TOKEN)
        equal("the name", (self.visitor["name"], self.visitor["username"]), ("Grace Hopper", "guest-1"))
        equal("the address", self.visitor["visitorEmails"], [{"address": "grace@example.com"}])
        equal("the number", self.visitor["phone"], [{"phoneNumber": "+49 30 1234"}])
        read = self.site.livechat_get_visitor(TOKEN)["visitor"]
        equal("the visitor that is read", (read["_id"], read["token"]), (self.visitor["_id"], TOKEN))
        again = self.site.livechat_register_visitor(TOKEN, visitor={"name": "Grace"})["visitor"]
        equal("the same visitor with another name", (again["_id"], again["name"]), (self.visitor["_id"], "Grace"))
        refused("an unknown token", 400, "invalid-token", lambda: self.site.livechat_get_visitor("no-such-token"))
        nowhere = lambda: self.site.livechat_register_visitor("other", visitor={"department": "none"})
        refusal("a department that is none", "error-invalid-department", nowhere)

    def wait(self):
        """opens a chat, which waits for an agent"""
        self.admin.settings_update("Livechat_Routing_Method", "Manual_Selection")
        opened = self.site.livechat_room(TOKEN)
        self.room = opened["room"]["_id"]
        equal("a new chat", (opened["newRoom"], opened["room"]["open"], opened["room"]["t"]), (True, True, "l"))
        equal("whose it is", (opened["room"]["v"]["_id"], opened["room"]["v"]["token"]), (self.visitor["_id"], TOKEN))
        again = self.site.livechat_room(TOKEN, rid=self.room)
        equal("the same chat", (again["newRoom"], again["room"]["_id"]), (False, self.room))
        refusal("an unknown token", "invalid-token", lambda: self.site.livechat_room("no-such-token"))
        refusal("an unknown chat", "invalid-room", lambda: self.site.livechat_room(TOKEN, rid="no-such-room"))

        queue = list(self.admin.livechat_inquiries_list())
        equal("the queue", [(one["rid"], one["name"], one["status"]) for one in queue], [(self.room, "Grace", "queued")])
        refused("no right to see the whole queue", 403, None, lambda: self.agent.livechat_inquiries_list())
        inquiry = self.agent.livechat_inquiries_get_one(self.room)["inquiry"]
        equal("the place in it", (inquiry["_id"], inquiry["v"]["_id"]), (queue[0]["_id"], self.visitor["_id"]))
        equal("no place in it", self.agent.livechat_inquiries_get_one("no-such-room")["inquiry"], None)
        equal("the list of waiting chats", [room["_id"] for room in self.admin.livechat_rooms(queued="true")], [self.room])

    def take(self):
        """takes the chat"""
        inquiry = self.agent.livechat_inquiries_get_one(self.room)["inquiry"]["_id"]
        unknown = lambda: self.agent.livechat_inquiries_take("no-such-inquiry")
        refusal("no chat", "Inquiry not found [error-not-found]", unknown)
        equal("the answer", self.agent.livechat_inquiries_take(inquiry), {"success": True})
        refused("the same again", 400, "error-inquiry-taken", lambda: self.agent.livechat_inquiries_take(inquiry))
        equal("the queue afterwards", list(self.admin.livechat_inquiries_list()), [])
        equal("the chat's agent", self.site.livechat_room(TOKEN)["room"]["servedBy"]["username"], "ada")
        mine = list(self.agent.livechat_rooms(agents=[self.agent_id], open="true"))
        equal("the agent's chats", [room["_id"] for room in mine], [self.room])
        refused("no right to see the chats of all", 403, None, lambda: self.agent.livechat_rooms())
        contains("the rooms of the agent's list", [room["_id"] for room in self.agent.rooms_get()["update"]], self.room)

    def write(self):
        """writes as a visitor, and reads what was written in pages"""
        sent = self.site.livechat_message(TOKEN, self.room, "Hello", _id="message-of-grace")["message"]
        equal("the message", (sent["_id"], sent["msg"]), ("message-of-grace", "Hello"))
        equal("who wrote it", (sent["token"], sent["alias"], sent["u"]["_id"]), (TOKEN, "Grace", self.visitor["_id"]))
        again = self.site.livechat_message(TOKEN, self.room, "Hello", _id="message-of-grace")["message"]
        equal("the same message again", again, sent)
        for number in range(120):
            self.site.livechat_message(TOKEN, self.room, f"Number {number}")
        wanted = [f"Number {number}" for number in reversed(range(120))] + ["Hello"]
        history = list(self.site.livechat_messages_history(self.room, TOKEN))
        equal("all in pages of fifty", texts(history), wanted)
        equal("how often each is there", len({message["_id"] for message in history}), len(history))
        small = list(self.site.livechat_messages_history(self.room, TOKEN, count=7))
        equal("the same in pages of seven", [message["_id"] for message in small], [message["_id"] for message in history])
        few = list(self.site.livechat_messages_history(self.room, TOKEN, count=7, max_count=10))
        equal("the latest ten", texts(few), wanted[:10])
        refusal("nobody's message", "invalid-token", lambda: self.site.livechat_message("no-such-token", self.room, "Hello"))
        refusal("a message for no chat", "invalid-room", lambda: self.site.livechat_message(TOKEN, "no-such-room", "Hello"))
        refusal("nobody's history", "invalid-token", lambda: self.site.livechat_messages_history(self.room, "no-such-token"))
        refusal("the history of no chat", "invalid-room", lambda: self.site.livechat_messages_history("no-such-room", TOKEN))

    def answer(self):
        """answers as an agent"""
        sent = self.agent.chat_send_message({"rid": self.room, "msg": "Good morning"})["message"]
        equal("the message", (sent["rid"], sent["msg"], sent["u"]["username"]), (self.room, "Good morning", "ada"))
        posted = self.agent.chat_post_message("How can I help?", room_id=self.room)
        equal("the posted message", (posted["channel"], posted["message"]["msg"]), (self.room, "How can I help?"))
        equal("a message by its id", self.agent.chat_get_message(sent["_id"])["message"]["msg"], "Good morning")
        latest = list(self.site.livechat_messages_history(self.room, TOKEN, count=2, max_count=2))
        equal("what the visitor sees", texts(latest), ["How can I help?", "Good morning"])
        found = self.agent.chat_search(self.room, "Number 11")
        equal("what is found", texts(found), [f"Number {number}" for number in [*range(119, 109, -1), 11]])
        nowhere = lambda: self.agent.chat_send_message({"rid": "no-such-room", "msg": "Hello"})
        refusal("a message for no chat", "error-invalid-room", nowhere)
        refused("a message for no chat", 400, None, lambda: self.agent.chat_post_message("Hello", room_id="no-such-room"))
        refused("a message that is none", 400, None, lambda: self.agent.chat_get_message("no-such-message"))
        _, stranger = self.create("mallory")
        refused("a stranger's message", 400, None, lambda: stranger.chat_send_message({"rid": self.room, "msg": "Hello"}))
        refused("a stranger's look at a message", 400, None, lambda: stranger.chat_get_message(sent["_id"]))
        refused("a stranger's look at the chat", 400, None, lambda: stranger.rooms_info(self.room))

    def mark(self):
        """reacts to messages, pins and marks them"""
        message = "message-of-grace"
        equal("the answer to a reaction", self.agent.chat_react(message, emoji="smile"), {"success": True})
        reactions = self.agent.chat_get_message(message)["message"]["reactions"]
        equal("the reactions", reactions[":smile:"]["usernames"], ["ada"])
        self.agent.chat_react(message, emoji="smile")
        equal("the reactions afterwards", self.agent.chat_get_message(message)["message"].get("reactions", {}), {})
        refused("no right to pin", 400, "error-action-not-allowed", lambda: self.agent.chat_pin_message(message))
        self.admin.chat_pin_message(message)
        equal("pinned", self.agent.chat_get_message(message)["message"]["pinned"], True)
        self.admin.chat_unpin_message(message)
        equal("pinned afterwards", self.agent.chat_get_message(message)["message"].get("pinned", False), False)
        self.agent.chat_star_message(message)
        equal("the mark", self.agent.chat_get_message(message)["message"]["starred"], [{"_id": self.agent_id}])
        equal("the mark for others", self.admin.chat_get_message(message)["message"].get("starred", []), [])
        self.agent.chat_unstar_message(message)
        equal("the mark afterwards", self.agent.chat_get_message(message)["message"].get("starred", []), [])

    def look(self):
        """looks at the chat, and at what is new in it"""
        room = self.agent.rooms_info(self.room)["room"]
        equal("the chat", (room["_id"], room["fname"], room["servedBy"]["_id"]), (self.room, "Grace", self.agent_id))
        equal("the message that it shows", room["lastMessage"]["msg"], "How can I help?")
        channel = self.admin.channels_info(room_id=self.room)["channel"]
        equal("the same as a channel", (channel["_id"], channel["t"], channel["msgs"]), (self.room, "l", room["msgs"]))
        equal("what staff see in place of the token", (room["v"]["token"], channel["v"]["token"]), (self.visitor["_id"],) * 2)
        unknown = lambda: self.agent.rooms_info("no-such-room")
        refused("no chat", 400, "error-room-not-found", unknown)

        one = self.agent.subscriptions_get_one(self.room)["subscription"]
        equal("whose list it is in", (one["rid"], one["u"]["username"], one["t"]), (self.room, "ada", "l"))
        self.agent.subscriptions_read(self.room)
        one = self.agent.subscriptions_get_one(self.room)["subscription"]
        equal("after reading", (one["unread"], one["alert"]), (0, False))
        self.site.livechat_message(TOKEN, self.room, "Are you there?")
        one = self.agent.subscriptions_get_one(self.room)["subscription"]
        equal("after another message", (one["unread"], one["alert"]), (1, True))
        self.agent.subscriptions_read(self.room)
        self.agent.subscriptions_unread(self.room)
        listed = self.agent.subscriptions_get()["update"]
        equal("after marking it unread", [(one["rid"], one["alert"]) for one in listed if one["t"] == "l"], [(self.room, True)])
        later = self.agent.subscriptions_get(updatedSince="2100-01-01T00:00:00.000Z")
        equal("what changes after 2100", (later["update"], later["remove"]), ([], []))
        equal("no list", self.admin.subscriptions_get_one(self.room)["subscription"], None)

    def edit_and_delete(self):
        """edits and deletes messages"""
        sent = self.agent.chat_send_message({"rid": self.room, "msg": "Mistaek"})["message"]
        before = sent["ts"]
        edited = self.agent.chat_update(self.room, sent["_id"], "Mistake")["message"]
        equal("the new text", (edited["msg"], edited["editedBy"]["username"]), ("Mistake", "ada"))
        theirs = lambda: self.agent.chat_update(self.room, "message-of-grace", "Goodbye")
        contains("what is said of it", refused("another's message", 400, None, theirs).error, "error-action-not-allowed")
        elsewhere = lambda: self.agent.chat_update("no-such-room", sent["_id"], "Elsewhere")
        refusal("a message of another chat", "The room id provided does not match where the message is from.", elsewhere)
        none = lambda: self.agent.chat_delete(self.room, "no-such-message")
        refusal("no message", 'No message found with the id of "no-such-message".', none)

        deleted = self.agent.chat_delete(self.room, sent["_id"])
        equal("what is left", (deleted["_id"], deleted["message"]["rid"]), (sent["_id"], self.room))
        refused("the message afterwards", 400, None, lambda: self.agent.chat_get_message(sent["_id"]))
        changed = self.agent.chat_sync_messages(self.room, before)["result"]
        contains("what is gone since", [message["_id"] for message in changed["deleted"]], sent["_id"])
        if sent["_id"] in [message["_id"] for message in changed["updated"]]:
            raise AssertionError("the deleted message is still there")
        everything = self.agent.chat_sync_messages(self.room, "2000-01-01T00:00:00.000Z")["result"]["updated"]
        contains("what changed since 2000", [message["_id"] for message in everything], "message-of-grace")

    def end(self):
        """closes the chat and erases the visitor"""
        refusal("no comment", "error-comment-is-required", lambda: self.close(self.agent))
        equal("the answer", self.close(self.agent, comment="Solved", tags=["sale"]), {"success": True})
        again = lambda: self.close(self.admin, comment="Solved")
        refusal("the same again by somebody who may close all chats", "error-room-already-closed", again)
        refusal("a message afterwards", "room-closed", lambda: self.site.livechat_message(TOKEN, self.room, "Thanks"))
        equal("the place in the queue", self.agent.livechat_inquiries_get_one(self.room)["inquiry"], None)
        equal("the agent's list", self.agent.subscriptions_get_one(self.room)["subscription"], None)
        closed = next(self.admin.livechat_rooms(open="false"))
        equal("the closed chat", (closed["_id"], closed["closer"], closed["closedBy"]["username"]), (self.room, "user", "ada"))
        equal("its tags", (closed["tags"], "open" in closed), (["sale"], False))
        equal("the history afterwards", texts(self.site.livechat_messages_history(self.room, TOKEN))[0], "Are you there?")
        new = self.site.livechat_room(TOKEN)["room"]["_id"]
        equal("another chat", new != self.room, True)
        rooms = [room["_id"] for room in self.admin.livechat_rooms(count=1)]
        equal("the chats of all in pages of one", rooms, [new, self.room])

        erased = self.site.call_api_delete(f"livechat/visitor/{TOKEN}")["visitor"]
        equal("who is erased", erased["_id"], self.visitor["_id"])
        refused("the visitor afterwards", 400, "invalid-token", lambda: self.site.livechat_get_visitor(TOKEN))
        equal("the chats afterwards", list(self.admin.livechat_rooms()), [])
        equal("the queue afterwards", list(self.admin.livechat_inquiries_list()), [])
        refused("a message afterwards", 400, None, lambda: self.agent.chat_get_message("message-of-grace"))

    def all(self):
        """Does everything."""
        parts = [self.employ, self.status, self.register, self.wait, self.take, self.write, self.answer, self.mark, self.look]
        run(parts + [self.edit_and_delete, self.end])


Work(*sys.argv[1:]).all()
