"""``millgate opcua trust | certificate``: who we trust, and who we are.

- Nothing is trusted before its certificate was shown and a person said yes, or gave the
  fingerprint that it has.
- Our certificate is made if there is none and never replaced unless asked for; the next
  one is prepared first, so that every server can be told before it is used.
"""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from pydantic import ValidationError
from rich.cells import cell_len

from drivers.contract import BadSetting, DriverError
from drivers.opcua.certificates import EXPIRED, Certificate, stage_of
from drivers.opcua.own import OwnFiles, Unusable, application_uri
from drivers.opcua.secure import Look, look, trust_command
from drivers.opcua.settings import LinkSettings
from drivers.opcua.trust import TrustList, judge, mismatch
from gateway.cli.say import refuse, say
from gateway.ops.clock import SYSTEM_CLOCK
from gateway.settings.load import load
from gateway.settings.problems import ConfigProblems, Place, Report
from gateway.settings.site import Site

Ask = Callable[[str], str]
_PROTOCOL = "opcua"
_YES = frozenset({"y", "yes", "是"})
_WIDTH = 26
_ALREADY_SAID = frozenset({"opcua_untrusted"})
_HOPELESS = frozenset({"opcua_weak_key"})


def trust(
    directory: Path,
    target: str,
    *,
    fingerprint: str | None = None,
    yes: bool = False,
    ask: Ask = input,
) -> int:
    """Show the certificate of a server and trust it if a person says so; return the exit code."""
    if yes and fingerprint is None:
        return refuse(
            "--yes 要与 --fingerprint 一起用:没有核对过的证书不能信任",
            "--yes needs --fingerprint: what nobody compared is not trusted",
        )
    try:
        site = load(directory)
        link = _link(site, target)
        if link is None:
            return _unknown(site, target)
        seen = asyncio.run(look(link))
        _show(seen)
        return _decide(site, link, seen, fingerprint, None if yes else ask)
    except ConfigProblems as err:
        return refuse(f"配置有误:{err}", f"the configuration is refused: {err}")
    except DriverError as err:
        return _driver_said(err)
    except OSError as err:
        return refuse(f"不能写入:{err}", f"cannot be written: {err}")


def certificate(directory: Path, *, renew: bool = False, activate: bool = False) -> int:
    """Show our certificate, prepare the next one, or use it; return the exit code."""
    now = SYSTEM_CLOCK.now()
    try:
        site = load(directory)
        files = OwnFiles(site.home.keys, site.home)
        if activate and files.shown_next() is None:
            return refuse(
                "没有备好的证书;先执行 --renew",
                "no certificate is prepared; do this with --renew first",
            )
        if activate:
            files.activate()
            say(
                "从下一次连接起使用新证书",
                "the new one is used from the next connection on",
            )
        current = files.identity(now).certificate
        if renew:
            files.prepare(now)
        _show_own(files, current, now, application_uri(site.home))
    except ConfigProblems as err:
        return refuse(f"配置有误:{err}", f"the configuration is refused: {err}")
    except Unusable as err:
        return refuse(*_both(err.refusal))
    except OSError as err:
        return refuse(f"不能写入:{err}", f"cannot be written: {err}")
    return 0


def _link(site: Site, target: str) -> LinkSettings | None:
    """Return the link of that name or endpoint; an endpoint need not be configured."""
    links = {name: link for name, link in site.links.items() if link.protocol == _PROTOCOL}
    if target in links:
        return _settings(links[target].settings)
    try:
        wanted = LinkSettings.model_validate({"endpoint": target}, context=site.home)
    except ValidationError:
        return None
    known = (link.settings for link in links.values() if link.endpoint == wanted.endpoint)
    return _settings(next(known, wanted))


def _settings(found: object) -> LinkSettings | None:
    return found if isinstance(found, LinkSettings) else None


def _unknown(site: Site, target: str) -> int:
    names = [name for name, link in sorted(site.links.items()) if link.protocol == _PROTOCOL]
    known = ", ".join(names) or "-"
    return refuse(
        f"没有叫 {target} 的 OPC UA 连接,也不是 opc.tcp:// 地址;有:{known}",
        f"{target} is no OPC UA link and no opc.tcp:// endpoint; links: {known}",
    )


def _decide(
    site: Site, link: LinkSettings, seen: Look, fingerprint: str | None, ask: Ask | None
) -> int:
    shown = seen.shown
    files = TrustList(site.home.keys)
    trusted = files.trusted()
    now, command = SYSTEM_CLOCK.now(), trust_command(link)
    refusal = judge(shown, trusted, now=now, accept_expired=True, command=command)
    if refusal is None:
        say("已经信任", "it is trusted already")
        return 0
    if refusal.code in _HOPELESS:
        return refuse(*_both(refusal))
    _warn([refusal, mismatch(shown, command)])
    if fingerprint is not None and _plain(fingerprint) != shown.certificate.fingerprint:
        return refuse("指纹不一致,没有信任", "the fingerprint differs; nothing is trusted")
    if ask is not None and not _agreed(ask):
        return refuse("没有信任", "nothing is trusted")
    path, earlier = files.trust(shown.certificate, link.endpoint)
    say(f"已信任,保存在 {path}", f"trusted, kept in {path}")
    for old in earlier:
        print(f"    不再信任 / no longer trusted: {old.subject}, SHA-256 {old.fingerprint}")
    return 0


def _agreed(ask: Ask) -> bool:
    try:
        answer = ask("指纹与服务器上显示的一致吗? / the same as the server itself shows? [y/N] ")
    except EOFError:  # nobody is there to be asked
        return False
    return answer.strip().lower() in _YES


def _warn(found: Sequence[BadSetting | None]) -> None:
    unsaid = {
        refusal.code: refusal
        for refusal in found
        if refusal is not None and refusal.code not in _ALREADY_SAID
    }
    for refusal in unsaid.values():
        zh, en = _texts(refusal)
        print(f"注意 / note: {zh}\n             {en}")


def _show(seen: Look) -> None:
    shown, found = seen.shown, seen.shown.certificate
    _rows(
        [
            ("地址 / endpoint", shown.endpoint),
            *_description(found),
            ("主机 / hosts", ", ".join(found.hosts) or "-"),
            ("服务器自称 / calls itself", shown.application_uri or "-"),
            ("提供 / offers", ", ".join(seen.offers)),
        ]
    )


def _show_own(files: OwnFiles, current: Certificate, now: datetime, uri: str) -> None:
    _rows([("证书 / certificate", str(files.certificate)), *_description(current)])
    if stage_of(current, now) == EXPIRED:
        say("已过期;用 --renew 备好下一张", "it has expired; prepare the next one with --renew")
    else:
        days = current.days_left(now)
        say(f"还有 {days} 天", f"days left: {days}")
    if uri not in current.uris:
        say(
            f"证书上的名称与配置不同({uri});服务器按证书上的名称认本网关",
            f"the configuration says {uri}; servers know this gateway as the certificate says",
        )
    say(
        "把这个文件放进每台服务器的受信任客户端",
        "put this file into the trusted clients of each server",
    )
    prepared = files.shown_next()
    if prepared is not None:
        _rows([("下一张 / next", str(files.prepared)), *_description(prepared)])
        say(
            "把它也放进每台服务器的受信任客户端,然后执行 --activate",
            "put this one there as well, then do this with --activate",
        )


def _description(found: Certificate) -> list[tuple[str, str]]:
    return [
        ("主题 / subject", found.subject),
        ("ApplicationUri", ", ".join(found.uris) or "-"),
        ("有效期 / valid (UTC)", f"{found.begins:%Y-%m-%d} .. {found.ends:%Y-%m-%d}"),
        ("SHA-256", found.fingerprint),
        ("SHA-1 (TIA, UaExpert)", found.thumbprint),
    ]


def _rows(rows: Sequence[tuple[str, str]]) -> None:
    for name, value in rows:
        print(name + " " * (_WIDTH - cell_len(name)), value)


def _plain(fingerprint: str) -> str:
    return "".join(c for c in fingerprint.upper() if c.isalnum())


def _driver_said(err: DriverError) -> int:
    refusal = getattr(err, "refusal", None)
    if isinstance(refusal, BadSetting):
        zh, en = _both(refusal)
        return refuse(f"{err.endpoint}:{zh}", f"{err.endpoint}: {en}")
    hint = f"; {err.hint}" if err.hint else ""
    return refuse(f"{err.endpoint} 连接不上", f"{err.endpoint}: {err.reason}{hint}")


def _both(refusal: BadSetting) -> tuple[str, str]:
    """Return a driver's sentence and what to do, in both languages."""
    report = Report()
    report.add_refusal(refusal, Place(""))
    (problem,) = report.problems
    if problem.hint is None:
        return problem.text["zh"], problem.text["en"]
    return (
        f"{problem.text['zh']};{problem.hint['zh']}",
        f"{problem.text['en']}; {problem.hint['en']}",
    )


def _texts(refusal: BadSetting) -> tuple[str, str]:
    report = Report()
    report.add_refusal(refusal, Place(""))
    (problem,) = report.problems
    return problem.text["zh"], problem.text["en"]
