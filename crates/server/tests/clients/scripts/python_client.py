"""An administrator's work with rocketchat-API, the client for Python.

Usage: python_client.py URL USERNAME EMAIL PASSWORD

Says what it does. If the server answers anything else than the client needs, it ends there with an error.
"""

import base64
import hashlib
import hmac
import json
import re
import struct
import sys
import time

import requests
from rocketchat_API.rocketchat import RocketChat

from checks import PASSWORD, contains, equal, login_refused, refused, run


class Codes:
    """The one-time codes of an authenticator, each of which the server may accept only once."""

    def __init__(self, secret):
        self.key = base64.b32decode(secret + "=" * (-len(secret) % 8))
        self.last = 0

    def next(self):
        """A code that was not given before. Clocks differ, so the server takes those of the half minutes before and after, too."""
        if time.time() % 30 > 27:
            time.sleep(4)  # The oldest of the three is about to expire.
        half_minute = max(self.last + 1, int(time.time() / 30) - 1)
        while half_minute > time.time() / 30 + 1:
            time.sleep(1)
        self.last = half_minute
        digest = hmac.new(self.key, struct.pack(">Q", half_minute), hashlib.sha1).digest()
        place = digest[-1] & 15
        number = struct.unpack(">I", digest[place : place + 4])[0] & 0x7FFFFFFF
        return f"{number % 1_000_000:06}"


class Work:
    """What an administrator does, one thing after the other."""

    def __init__(self, url, username, email, password):
        self.url, self.username, self.email, self.password = url, username, email, password
        self.admin = None

    def client(self, username, password=PASSWORD, **options):
        """Logs in."""
        return RocketChat(username, password, server_url=self.url, **options)

    def create(self, username, **options):
        """Creates a user and gives its id."""
        user = self.admin.users_create(f"{username}@example.com", username.title(), PASSWORD, username, **options)["user"]
        return user["_id"]

    def log_in(self):
        """logs in by name and by e-mail address"""
        self.admin = RocketChat(server_url=self.url)
        answer = self.admin.login(self.username, self.password)
        equal("me of the login", answer["data"]["me"]["username"], self.username)
        me = self.admin.me()
        equal("the id", me["_id"], self.admin.headers["X-User-Id"])
        equal("the name", me["username"], self.username)
        contains("the addresses", [email["address"] for email in me["emails"]], self.email)
        contains("the roles", me["roles"], "admin")
        equal("the user of the e-mail address", self.client(self.email, self.password).me()["_id"], me["_id"])
        login_refused("a wrong password", lambda: self.client(self.username, "a wrong password"))
        login_refused("a wrong password with an e-mail address", lambda: self.client(self.email, "a wrong password"))
        login_refused("an unknown name", lambda: self.client("nobody", "a wrong password"))
        refused("me without a login", 401, None, lambda: RocketChat(server_url=self.url).me())

    def learn_the_version(self):
        """reads the version"""
        version = RocketChat(server_url=self.url).info()["version"]
        if not re.fullmatch(r"8\.\d+", version):
            raise AssertionError(f"strangers should see a version such as 8.8 and not {version!r}")
        contains("the administrator's version", self.admin.info()["version"], version)
        equal("the login services", RocketChat(server_url=self.url).service_configurations()["configurations"], [])

    def users(self):
        """creates, reads, changes and deletes a user"""
        answer = self.admin.users_create(
            "mary@example.com", "Mary", PASSWORD, "mary", roles=["user", "livechat-agent"], customFields={"team": "north"}
        )
        user = answer["user"]
        identity = user["_id"]
        equal("the name", (user["username"], user["name"]), ("mary", "Mary"))
        equal("the roles", sorted(user["roles"]), ["livechat-agent", "user"])
        equal("the addresses", [email["address"] for email in user["emails"]], ["mary@example.com"])
        equal("active", user["active"], True)

        mary = self.client("mary")
        equal("the new user's id", mary.me()["_id"], identity)
        equal("the new user by e-mail address", self.client("mary@example.com").me()["username"], "mary")
        equal("found by id", self.admin.users_info(user_id=identity)["user"]["username"], "mary")
        equal("found by name", self.admin.users_info(username="mary")["user"]["_id"], identity)
        equal("found by e-mail address", self.admin.users_info(email="mary@example.com")["user"]["_id"], identity)
        refused("an unknown user", 400, None, lambda: self.admin.users_info(username="nobody"))
        twice = lambda: self.admin.users_create("other@example.com", "Mary", PASSWORD, "mary")
        refused("a name that is taken", 400, "error-field-unavailable", twice)
        create = lambda: mary.users_create("other@example.com", "Other", PASSWORD, "other")
        refused("no right to create", 400, "error-action-not-allowed", create)
        refused("no right to delete", 403, None, lambda: mary.users_delete(self.admin.headers["X-User-Id"]))

        changed = self.admin.users_update(identity, name="Mary Smith", bio="Speaks Welsh.")["user"]
        equal("the new name", (changed["_id"], changed["name"]), (identity, "Mary Smith"))
        self.admin.users_update(identity, password="another Password 2")
        login_refused("the old password", lambda: self.client("mary"))
        mary = self.client("mary", "another Password 2")
        equal("the name that is read", mary.me()["name"], "Mary Smith")

        equal("deactivated", self.admin.users_set_active_status(identity, False)["user"]["active"], False)
        refused("a deactivated user's call", 401, None, mary.me)
        login_refused("a deactivated user's login", lambda: self.client("mary", "another Password 2"))
        equal("activated", self.admin.users_set_active_status(identity, True)["user"]["active"], True)
        refused("the login from before", 401, None, mary.me)
        mary = self.client("mary", "another Password 2")

        self.admin.users_delete(identity)
        refused("a deleted user's call", 401, None, mary.me)
        login_refused("a deleted user's login", lambda: self.client("mary", "another Password 2"))
        refused("a deleted user's data", 400, None, lambda: self.admin.users_info(user_id=identity))

    def pages(self):
        """lists users page by page"""
        for number in range(5):
            self.create(f"number.{number}")
        everyone = [user["username"] for user in self.admin.call_api_get("users.list", count=0)["users"]]
        equal("the order", everyone, sorted(everyone))
        equal("pages of two", [user["username"] for user in self.admin.users_list(count=2)], everyone)
        equal("at most three", [user["username"] for user in self.admin.users_list(count=2, max_count=3)], everyone[:3])
        page = self.admin.call_api_get("users.list", offset=1, count=3)
        figures = {key: page[key] for key in ("offset", "count", "total")}
        equal("the figures of a page", figures, {"offset": 1, "count": 3, "total": len(everyone)})
        equal("a page", [user["username"] for user in page["users"]], everyone[1:4])
        backwards = self.admin.users_list(sort=json.dumps({"username": -1}))
        equal("backwards", [user["username"] for user in backwards], everyone[::-1])
        wrong = lambda: self.admin.users_list(sort=json.dumps({"username": 7}))
        refused("an order that is none", 400, "error-invalid-sort", wrong)

    def presence(self):
        """sets a status, preferences and a picture"""
        identity = self.create("peter")
        peter = self.client("peter")
        peter.users_set_status("at lunch", status="away")
        status = self.admin.call_api_get("users.getStatus", userId=identity)
        equal("the status", (status["status"], status["message"]), ("away", "at lunch"))
        equal("the presence", self.admin.users_get_presence(username="peter")["presence"], "away")
        refused("a status that is none", 400, "error-invalid-status", lambda: peter.users_set_status("", status="asleep"))
        peter.users_set_preferences(identity, {"omnichannelTranscriptEmail": True})
        equal("a preference", peter.users_get_preferences()["preferences"]["omnichannelTranscriptEmail"], True)
        contains("the picture", peter.users_get_avatar(username="peter"), "<svg")
        self.admin.users_delete(identity)

    def roles(self):
        """gives roles and takes them"""
        identity = self.create("nora")
        contains("the roles", [role["_id"] for role in self.admin.roles_list()["roles"]], "livechat-manager")
        equal("the role", self.admin.roles_add_user_to_role("livechat-manager", "nora")["role"]["_id"], "livechat-manager")
        again = lambda: self.admin.roles_add_user_to_role("livechat-manager", "nora")
        refused("a role that the user has", 400, "error-user-already-in-role", again)
        equal("the users of the role", [user["_id"] for user in self.admin.roles_get_users_in_role("livechat-manager")], [identity])
        contains("the user's roles", self.client("nora").me()["roles"], "livechat-manager")
        self.admin.roles_remove_user_from_role("livechat-manager", "nora")
        equal("the users of the role afterwards", list(self.admin.roles_get_users_in_role("livechat-manager")), [])
        refused("a role that is none", 400, None, lambda: self.admin.roles_add_user_to_role("no-such-role", "nora"))
        refused("no right to give roles", 400, None, lambda: self.client("nora").roles_add_user_to_role("admin", "nora"))

        role = self.admin.roles_create("translator", description="Reads what others cannot.")["role"]
        equal("the new role's name", role["name"], "translator")
        self.admin.roles_add_user_to_role(role["_id"], "nora")
        refused("deleting a role in use", 400, "error-role-in-use", lambda: self.admin.roles_delete(role["_id"]))
        self.admin.roles_remove_user_from_role(role["_id"], "nora")
        self.admin.roles_delete(role["_id"])
        if role["_id"] in [role["_id"] for role in self.admin.roles_list()["roles"]]:
            raise AssertionError("the deleted role is still listed")
        changed = self.admin.roles_sync("2020-01-01T00:00:00.000Z")["roles"]["update"]
        contains("the roles that changed", [role["_id"] for role in changed], "admin")
        public = self.admin.roles_get_users_in_public_roles()["users"]
        contains("those with a public role", [user["username"] for user in public], self.username)
        self.admin.users_delete(identity)

    def permissions(self):
        """takes a permission and gives it back"""
        identity = self.create("oscar")
        oscar = self.client("oscar")
        before = self.roles_of("view-d-room")
        contains("the roles with the permission", before, "user")
        contains("what the user sees", [user["username"] for user in oscar.users_list(count=100)], "oscar")
        without = [role for role in before if role != "user"]
        self.admin.permissions_update([{"_id": "view-d-room", "roles": without}])
        equal("the roles while it is taken", sorted(self.roles_of("view-d-room")), sorted(without))
        refused("the next call", 403, None, oscar.users_list)
        self.admin.permissions_update([{"_id": "view-d-room", "roles": before}])
        contains("what the user sees again", [user["username"] for user in oscar.users_list(count=100)], "oscar")
        unknown = [{"_id": "no-such-permission", "roles": []}]
        refused("a permission that is none", 400, "error-invalid-permission", lambda: self.admin.permissions_update(unknown))
        unknown = [{"_id": "view-d-room", "roles": ["no-such-role"]}]
        refused("a role that is none", 400, "error-invalid-role", lambda: self.admin.permissions_update(unknown))
        theirs = [{"_id": "view-d-room", "roles": before}]
        refused("no right to change permissions", 403, None, lambda: oscar.permissions_update(theirs))
        self.admin.users_delete(identity)

    def roles_of(self, permission):
        """The roles that have a permission."""
        listed = self.admin.permissions_list_all()
        equal("removed permissions", listed["remove"], [])
        return next(found["roles"] for found in listed["update"] if found["_id"] == permission)

    def settings(self):
        """reads and writes settings"""
        stranger, identity = RocketChat(server_url=self.url), self.create("paul")
        paul = self.client("paul")
        before = self.admin.settings_get("Livechat_title")
        equal("the setting", before["_id"], "Livechat_title")
        self.admin.settings_update("Livechat_title", "Ask us!")
        equal("the text that is read back", self.admin.settings_get("Livechat_title")["value"], "Ask us!")
        public = {setting["_id"]: setting["value"] for setting in stranger.settings_public()}
        equal("the text in public", public["Livechat_title"], "Ask us!")
        one = stranger.call_api_get("settings.public", _id="Livechat_title")["settings"]
        equal("one setting in public", [(setting["_id"], setting["value"]) for setting in one], [("Livechat_title", "Ask us!")])
        config = stranger.call_api_get("livechat/config")["config"]
        equal("the title that visitors see", config["theme"]["title"], "Ask us!")
        for value in [False, True]:
            self.admin.settings_update("Livechat_registration_form", value)
            equal("the switch that is read back", self.admin.settings_get("Livechat_registration_form")["value"], value)
            config = stranger.call_api_get("livechat/config")["config"]
            equal("the switch that visitors see", config["settings"]["registrationForm"], value)
        self.admin.settings_update("Livechat_title", before["value"])

        all_settings = {setting["_id"] for setting in self.admin.settings()}
        contains("all settings", all_settings, "Livechat_offline_email")
        if "Livechat_offline_email" in public or "Livechat_offline_email" in {setting["_id"] for setting in paul.settings()}:
            raise AssertionError("a setting that is not public is shown to those who may not see it")
        refused("no right to read", 403, None, lambda: paul.settings_get("Livechat_title"))
        refused("no right to write", 403, None, lambda: paul.settings_update("Livechat_title", "Mine"))
        refused("a setting that is none", 400, None, lambda: self.admin.settings_get("No_such_setting"))
        self.admin.users_delete(identity)

    def tokens(self):
        """works with a personal access token"""
        identity = self.admin.headers["X-User-Id"]
        further = lambda token: RocketChat(user_id=identity, auth_token=token, server_url=self.url)
        first = self.admin.call_api_post("users.generatePersonalAccessToken", tokenName="reports")["token"]
        equal("the token's user", further(first).me()["username"], self.username)
        equal("a call with the token", further(first).settings_get("Livechat_enabled")["_id"], "Livechat_enabled")
        twice = lambda: self.admin.call_api_post("users.generatePersonalAccessToken", tokenName="reports")
        refused("a name that is taken", 400, "error-token-already-exists", twice)
        listed = self.admin.call_api_get("users.getPersonalAccessTokens")["tokens"]
        equal("the tokens", [token["name"] for token in listed], ["reports"])
        equal("the end of the token", first.endswith(listed[0]["lastTokenPart"]), True)
        second = self.admin.call_api_post("users.regeneratePersonalAccessToken", tokenName="reports")["token"]
        refused("the token from before", 401, None, further(first).me)
        equal("the new token's user", further(second).me()["username"], self.username)
        self.admin.call_api_post("users.removePersonalAccessToken", tokenName="reports")
        refused("a removed token", 401, None, further(second).me)

    def second_factor(self):
        """confirms with a code from an authenticator"""
        identity = self.create("quentin", roles=["user", "admin"])
        self.admin.settings_update("Accounts_TwoFactorAuthentication_RememberFor", 0)
        quentin = self.client("quentin")
        quentin.settings_update("Livechat_title", "Not asked for a code yet")
        codes = Codes(self.method(quentin, "2fa:enable")["secret"])
        recovery = self.method(quentin, "2fa:validateTempToken", codes.next())["codes"]
        equal("recovery codes for whoever loses the device", bool(recovery), True)

        write = lambda: quentin.settings_update("Livechat_title", "Confirmed")
        refusal = refused("no code", 400, "totp-required", write)
        equal("the factor that is asked for", refusal.response_json["details"]["method"], "totp")
        quentin.headers.update({"x-2fa-method": "totp", "x-2fa-code": "000000"})
        refused("a wrong code", 400, "totp-invalid", write)
        quentin.headers["x-2fa-code"] = codes.next()
        write()
        equal("what the confirmed call wrote", self.admin.settings_get("Livechat_title")["value"], "Confirmed")

        login_refused("a login without a code", lambda: self.client("quentin"))
        session = requests.Session()
        session.headers["x-2fa-code"] = codes.next()
        equal("the user of a login with a code", self.client("quentin", session=session).me()["_id"], identity)
        self.admin.settings_update("Accounts_TwoFactorAuthentication_RememberFor", 1800)
        self.admin.users_delete(identity)

    def method(self, client, name, *parameters):
        """Calls a method of the realtime API, and gives its result."""
        call = json.dumps({"msg": "method", "id": "1", "method": name, "params": parameters})
        answer = client.call_api_post(f"method.call/{name}", message=call)
        frame = json.loads(answer["message"])
        contains(f"the answer to {name}: {frame}", frame, "result")
        return frame["result"]

    def log_out(self):
        """logs out"""
        identity = self.create("rose")
        first, second, third = (self.client("rose") for _ in range(3))
        equal("the logout", first.logout()["status"], "success")
        refused("a call after the logout", 401, None, first.me)
        equal("another login of the same user", second.me()["_id"], identity)
        self.admin.call_api_post("users.logout", userId=identity)
        refused("a call after an administrator's logout of the user", 401, None, second.me)
        refused("another one", 401, None, third.me)
        self.admin.logout()
        refused("the administrator's call after the logout", 401, None, self.admin.me)

    def all(self):
        """Does everything."""
        parts = [self.log_in, self.learn_the_version, self.users, self.pages, self.presence, self.roles, self.permissions]
        run(parts + [self.settings, self.tokens, self.second_factor, self.log_out])


Work(*sys.argv[1:]).all()
