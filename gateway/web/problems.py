"""Errors as RFC 9457 tells them: ``application/problem+json`` with a code that does not change.

``code`` is for programs, ``title`` and ``detail`` for people, in the language they asked for.
"""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import orjson
from starlette.responses import Response

MEDIA_TYPE = "application/problem+json"

TITLES: Mapping[str, tuple[int, Mapping[str, str]]] = {
    "not_logged_in": (401, {"zh": "请先登录", "en": "Log in first"}),
    "login_failed": (401, {"zh": "用户名或密码不正确", "en": "Wrong name or password"}),
    "wrong_password": (403, {"zh": "原密码不正确", "en": "The old password is wrong"}),
    "wrong_code": (403, {"zh": "初始化代码不正确", "en": "The set-up code is wrong"}),
    "unknown_code": (404, {"zh": "没有大屏显示此配对码", "en": "No television shows this code"}),
    "already_set_up": (409, {"zh": "已经初始化", "en": "Set-up was done already"}),
    "too_many_attempts": (429, {"zh": "尝试次数过多,请稍候", "en": "Too many attempts, wait"}),
    "password_must_change": (403, {"zh": "请先修改密码", "en": "Change the password first"}),
    "forbidden": (403, {"zh": "权限不足", "en": "This role may not do that"}),
    "cross_origin": (403, {"zh": "请求来自其他网站", "en": "Asked from another site"}),
    "csrf": (403, {"zh": "缺少页面令牌,请刷新页面", "en": "X-CSRF is missing or old: reload"}),
    "bad_host": (400, {"zh": "不接受此主机名", "en": "This host name is not served"}),
    "invalid": (422, {"zh": "输入有误", "en": "The input is not valid"}),
    "not_found": (404, {"zh": "不存在", "en": "Not found"}),
    "method_not_allowed": (405, {"zh": "不支持此操作", "en": "Not supported here"}),
    "exists": (409, {"zh": "已存在", "en": "It exists already"}),
    "last_admin": (409, {"zh": "不能去掉最后一个管理员", "en": "The last administrator stays"}),
    "refused": (409, {"zh": "采集服务拒绝了该命令", "en": "The collector refused the command"}),
    "too_large": (413, {"zh": "内容过大", "en": "Too large"}),
    "too_slow": (408, {"zh": "请求未及时到达", "en": "The request did not arrive in time"}),
    "no_collector": (503, {"zh": "采集服务没有响应", "en": "The collector does not respond"}),
    "no_room": (503, {"zh": "磁盘已满，无法保存", "en": "The disk is full: nothing can be kept"}),
    "no_history": (503, {"zh": "现在无法读取历史", "en": "The history cannot be read now"}),
    "query_too_long": (503, {"zh": "查询时间过长,请缩小范围", "en": "Too long: ask for less"}),
    "busy": (503, {"zh": "服务繁忙,请稍候", "en": "Busy, try again soon"}),
    "internal": (500, {"zh": "内部错误", "en": "Internal error"}),
}
"""code -> status and title."""
_BY_STATUS = {404: "not_found", 405: "method_not_allowed", 413: "too_large"}


class Problem(Exception):
    """An answer that is not what was asked for."""

    def __init__(
        self,
        code: str,
        detail: Mapping[str, str] | str | None = None,
        *,
        errors: Sequence[Mapping[str, Any]] = (),
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> None:
        """``detail`` is a text or one in both languages; ``more`` are members of the answer."""
        super().__init__(code)
        self.code = code
        self.status = TITLES[code][0]
        self.detail = detail
        self.errors = errors
        self.headers = headers
        self.more = more

    def body(self, language: str) -> dict[str, Any]:
        """Return the members in a language."""
        body: dict[str, Any] = {
            "type": f"urn:millgate:problem:{self.code}",
            "title": TITLES[self.code][1][language],
            "status": self.status,
            "code": self.code,
        }
        if self.detail is not None:
            words = self.detail
            body["detail"] = words if isinstance(words, str) else words[language]
        if self.errors:
            body["errors"] = list(self.errors)
        return body | self.more

    def response(self, language: str) -> Response:
        """Return the answer in a language."""
        return Response(
            orjson.dumps(self.body(language)),
            status_code=self.status,
            media_type=MEDIA_TYPE,
            headers={"Cache-Control": "no-store", **(self.headers or {})},
        )


def of_status(status: int, detail: str | None) -> Problem:
    """Return the problem that a bare status of the framework means."""
    code = _BY_STATUS.get(status)
    if code is not None:
        return Problem(code)
    problem = Problem(
        "invalid" if status < HTTPStatus.INTERNAL_SERVER_ERROR else "internal", detail
    )
    problem.status = status
    return problem
