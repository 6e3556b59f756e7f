"""What the scripts for the Python client share: checks."""

from rocketchat_API.APIExceptions.RocketExceptions import RocketApiException, RocketAuthenticationException

PASSWORD = "a Password of their own, 1"


def equal(what, found, wanted):
    """Checks a value."""
    if found != wanted:
        raise AssertionError(f"{what}: {found!r} instead of {wanted!r}")


def contains(what, found, wanted):
    """Checks that something is among others."""
    if wanted not in found:
        raise AssertionError(f"{what}: {wanted!r} is not in {found!r}")


def refused(what, status, error_type, call):
    """Checks that the client reports a refusal with this status, and this type of error unless that is `None`."""
    try:
        answer = call()
    except RocketApiException as refusal:
        equal(f"{what}: the status", refusal.status_code, status)
        if error_type is not None:
            equal(f"{what}: the type of error in {refusal.response}", refusal.error_type, error_type)
        return refusal
    raise AssertionError(f"{what}: it is not refused but answered with {answer!r}")


def login_refused(what, call):
    """Checks that the client reports a wrong login."""
    try:
        call()
    except RocketAuthenticationException:
        return
    raise AssertionError(f"{what}: the login is not refused")


def run(parts):
    """Does one part of the work after the other, and says what each is."""
    for part in parts:
        print(f"rocketchat-API {part.__doc__}", flush=True)
        part()
