"""How allauth behaves here: nobody signs up, nothing is told of who exists, secrets lie encrypted."""

import base64
import hashlib
import logging
import threading
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings
from django.core.mail import EmailMessage
from django.db import connection
from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme

from labdb.base.login import addresses, codes, devices

logger = logging.getLogger(__name__)

SILENT = ("account/messages/logged_in.txt", "account/messages/logged_out.txt")


class AccountAdapter(DefaultAccountAdapter):
    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "username_password_mismatch": "User name and password do not belong together.",
        "incorrect_password": "This is not your password.",
        "enter_current_password": "This is not your present password.",
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def is_safe_url(self, url: str | None) -> bool:
        host = {self.request.get_host()}
        return url_has_allowed_host_and_scheme(url, host, require_https=self.request.is_secure())

    def get_client_ip(self, request: HttpRequest) -> str:
        return addresses.of_client(request)

    def login(self, request: HttpRequest, user: Any) -> None:
        super().login(request, user)
        devices.issue(request, user)

    def add_message(
        self, request: HttpRequest, level: int, message_template: str | None = None, *a: Any, **k: Any
    ) -> None:
        if message_template not in SILENT:
            super().add_message(request, level, message_template, *a, **k)

    def send_mail(self, template_prefix: str, email: str, context: dict) -> None:
        """In a thread: the time that a mail server takes would tell which addresses are known."""
        message = self.render_mail(template_prefix, email, {**context, "request": self.request})
        threading.Thread(target=_send, args=(message,)).start()


def _send(message: EmailMessage) -> None:
    try:
        message.send()
    except Exception:
        logger.exception("a mail (“%s”) could not be sent", message.subject)
    finally:
        connection.close()


class SecondFactorAdapter(DefaultMFAAdapter):
    error_messages = {
        **DefaultMFAAdapter.error_messages,
        "incorrect_code": "This code is not right, or it was used before.",
        "cannot_delete_authenticator": "This laboratory asks you for a second factor: it can be renewed, not removed.",
    }

    def get_totp_issuer(self) -> str:
        return str(settings.UNFOLD["SITE_TITLE"])

    def _get_user_identifier(self, user: Any) -> str:
        return user.username

    def encrypt(self, text: str) -> str:
        return _cipher().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return _cipher().decrypt(encrypted_text.encode()).decode()

    def can_delete_authenticator(self, authenticator: Any) -> bool:
        return not codes.is_required(authenticator.user)


def _cipher() -> MultiFernet:
    """Keys made from SECRET_KEY and its predecessors: a dump of the database alone opens no second factor."""
    keys = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    derived = (hashlib.sha256(b"labdb second factor" + key.encode()).digest() for key in keys)
    return MultiFernet([Fernet(base64.urlsafe_b64encode(key)) for key in derived])
