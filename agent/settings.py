"""What is configured: entities, realms and the device's own settings. Key pairs are not here.

Plain records with slots; a value that is not set is None, an empty tuple or the default of the
command. The console's command table sets them, renders them and undoes them; the engine and the
jobs read them. Names are case-insensitive: dictionaries are keyed by `fold(name)`, and the first
spelling is kept in `.name`.
"""

from __future__ import annotations

from agent import limits
from hal.named import NamedTuple


def fold(name: str) -> str:
    """The key under which a name is found again (VRP: names are case-insensitive)."""
    return name.casefold()


class AutoEnroll(NamedTuple):
    """VRP `auto-enroll`. key_bits None: the size of the key before."""

    percent: int = limits.RENEWAL_PERCENT_DEFAULT  # of the validity that has elapsed
    regenerate: bool = False
    key_bits: int | None = None
    updated_effective: bool = False


class Timezone(NamedTuple):
    """VRP `clock timezone`: its name, and how far it is ahead of UTC (negative to its west)."""

    name: str = "UTC"
    ahead_s: int = 0


class Entity:
    """A PKI entity: who the certificate is for (VRP `pki entity`)."""

    __slots__ = (
        "common_name",
        "country",
        "email",
        "fqdn",
        "ip_address",
        "locality",
        "name",
        "organization",
        "organization_unit",
        "serial_number",
        "state",
    )

    def __init__(self, name: str) -> None:
        self.name = name
        self.common_name: str | None = None
        self.country: str | None = None
        self.state: str | None = None
        self.locality: str | None = None
        self.organization: str | None = None
        self.organization_unit: tuple[str, ...] = ()
        self.email: str | None = None
        self.fqdn: str | None = None
        self.ip_address: str | None = None  # an address, or the name of an interface
        self.serial_number = False  # put the device's own serial number into the subject


class Realm:
    """A PKI realm: which CA, for which entity, with which key, by which rules (VRP `pki realm`)."""

    __slots__ = (
        "auto_enroll",
        "bind_device",
        "ca_id",
        "cdp_esc",
        "cdp_from_ca",
        "cdp_url",
        "certificate_check",
        "cipher",
        "compatibility",
        "crl_scep",
        "digest",
        "entity",
        "fingerprint",
        "https_ca_file",
        "key_pair",
        "key_usage",
        "name",
        "password",
        "poll_interval_min",
        "poll_times",
        "ra",
        "ra_fingerprint",
        "root_fingerprints",
        "source_address",
        "source_interface",
        "subject_match",
        "url",
        "url_esc",
        "vpn_instance",
        "weak",
    )

    def __init__(self, name: str) -> None:
        self.name = name
        self.ca_id: str | None = None
        self.entity: str | None = None
        self.key_pair: str | None = None
        self.key_usage: tuple[str, ...] = ()  # of ike, ssl-client, ssl-server
        self.source_address: str | None = None
        self.source_interface: str | None = None  # `eth0`, `GigabitEthernet0/0/1`
        self.bind_device = False
        self.url: str | None = None  # escapes resolved
        self.url_esc = False  # typed with `esc`, and rendered with it
        self.poll_interval_min = limits.POLL_INTERVAL_DEFAULT_MIN
        self.poll_times = limits.POLL_TIMES_DEFAULT
        self.ra = False
        self.ra_fingerprint: tuple[str, tuple[str, ...]] | None = (
            None  # (sha1 | sha256, 1 or 2 hex)
        )
        self.digest = "sha-256"  # md5, sha1, sha-256, sha-384, sha-512
        self.cipher: str | None = None  # aes128, aes256, 3des; None: what suits the CA
        self.password: str | None = None  # sealed form %^%#...%^%#, never plain
        self.fingerprint: tuple[str, str] | None = None  # (md5 | sha1 | sha256, lower-case hex)
        self.root_fingerprints: tuple[tuple[str, str], ...] = ()  # (sha1 | sha256, hex)
        self.auto_enroll: AutoEnroll | None = None
        self.vpn_instance: str | None = None  # a VRF device
        self.https_ca_file: str | None = None  # a file of device storage
        self.crl_scep = False
        self.cdp_url: str | None = None  # escapes resolved
        self.cdp_esc = False
        self.cdp_from_ca = False
        self.certificate_check: tuple[str, ...] = ()  # crl, crl none, none
        self.weak: tuple[str, ...] = ()  # of des, md5, sha1
        self.subject_match = "standard"  # strict, standard, key-only
        self.compatibility: tuple[str, ...] = ()


class Unapplied(NamedTuple):
    """A line of a configuration that does not apply now; it is kept, and tried at each boot.

    `block` is the folded line that opens its block, or "". `text` holds no password in plain.
    """

    block: str
    text: str
    why: str


class LocalUser(NamedTuple):
    """Somebody who may log in on a serial line under `authentication-mode aaa`."""

    name: str
    password: str | None = None  # salted hash, never plain
    level: int = limits.USER_LEVEL_DEFAULT
    terminal: bool = False  # `service-type terminal`: serial lines

    @property
    def may_log_in(self) -> bool:
        return self.password is not None and self.terminal


class ConsoleLine:
    """The serial lines: whom they let in, and for how long (VRP `user-interface console 0`)."""

    __slots__ = ("idle_s", "level", "mode", "name", "password")

    def __init__(self) -> None:
        self.name = "0"  # all lines share the settings of the first
        self.mode = "none"  # none, password, aaa
        self.password: str | None = None  # salted hash, never plain
        self.level = limits.LEVELS[1]  # of who logs in without a name
        self.idle_s = limits.IDLE_SESSION_S  # 0: never


DEFAULT_REALM = "default"  # is always there
DEFAULT_NAME = "Huawei"  # VRP's, for a device whose host has no name either


class Settings:
    """The configuration of a device. The running one is one object for the life of the agent.

    host_name: no setting, but the name that holds until `sysname`; "": there is none.
    """

    __slots__ = (
        "console",
        "entities",
        "file_format",
        "host_name",
        "prewarning_days",
        "realms",
        "sysname",
        "timezone",
        "unapplied",
        "users",
    )

    def __init__(self, host_name: str = "") -> None:
        self.host_name = host_name or DEFAULT_NAME
        self.sysname = self.host_name
        self.file_format = "pem"  # pem, der
        self.timezone = Timezone()
        self.prewarning_days = limits.PREWARNING_DEFAULT_DAYS
        self.console = ConsoleLine()
        self.users: dict[str, LocalUser] = {}
        self.entities: dict[str, Entity] = {}
        self.realms: dict[str, Realm] = {DEFAULT_REALM: Realm(DEFAULT_REALM)}
        self.unapplied: list[Unapplied] = []

    def become(self, other: Settings) -> None:
        """Takes over all that another one holds; the two share it from then on."""
        for name in self.__slots__:
            setattr(self, name, getattr(other, name))
