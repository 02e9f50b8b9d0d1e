"""allauth's forms behind the one limiter."""

from typing import Any

from allauth.account import forms as account
from allauth.account.adapter import get_adapter
from allauth.core import context
from allauth.mfa.adapter import get_adapter as get_second_factor_adapter
from allauth.mfa.base import forms as second_factor
from allauth.mfa.totp.forms import ActivateTOTPForm
from django import forms
from django.contrib.auth.forms import UsernameField
from django.contrib.auth.password_validation import validate_password

from labdb.base.login import codes, devices, limiter, passwords
from labdb.base.models import Invitation, User
from labdb.base.tokens import revoke_all_tokens


class Plain:
    """Labels say it; a placeholder would vanish with the first letter."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():  # type: ignore[attr-defined]
            field.widget.attrs.pop("placeholder", None)
            field.help_text = ""
            field.label = str(field.label).capitalize()


class LogInForm(Plain, account.LoginForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        login = self.fields["login"]
        login.label = "User name"
        login.widget.attrs |= {"id": "id_username", "autocapitalize": "none", "spellcheck": "false", "autofocus": True}


class ReauthenticateForm(Plain, account.ReauthenticateForm):
    pass


class RevokingTokens:
    """Offers to end the person's access tokens together with the old password, where there are any."""

    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.user is not None and self.user.auth_token_set.exists():
            self.fields["revoke_tokens"] = forms.BooleanField(label="Revoke all my access tokens too", required=False)

    def save(self: Any) -> None:
        super().save()  # type: ignore[misc]
        if self.cleaned_data.get("revoke_tokens"):
            revoke_all_tokens(person=self.user, by=self.user)


class ChangePasswordForm(RevokingTokens, Plain, account.ChangePasswordForm):
    def clean_oldpassword(self) -> str:
        old = self.cleaned_data["oldpassword"]
        if passwords.checked(context.request, self.user.username, old) != self.user:
            raise get_adapter().validation_error("enter_current_password")
        return old

    def save(self) -> None:
        super().save()
        devices.issue(context.request, self.user)  # the change made the old cookie a stranger's


class ResetPasswordForm(Plain, account.ResetPasswordForm):
    def save(self, request: Any, **kwargs: Any) -> str:
        """Mails a link, unless this address was mailed too often of late; the answer is the same."""
        email = self.cleaned_data["email"]
        if not limiter.may_mail(email):
            return email
        return super().save(request, **kwargs)


class ResetPasswordKeyForm(RevokingTokens, Plain, account.ResetPasswordKeyForm):
    def save(self) -> None:
        super().save()
        devices.issue(context.request, self.user)  # who reads the mailbox is the owner: guessers cannot keep them out


class CodeChecking(Plain):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _for_codes(self.fields["code"])  # type: ignore[attr-defined]

    def clean_code(self: Any) -> str:
        code = self.cleaned_data["code"]
        found = codes.checked(context.request, self.user, code)
        if found is None:
            raise get_second_factor_adapter().validation_error("incorrect_code")
        self.authenticator = found
        return code


class AuthenticateForm(CodeChecking, second_factor.AuthenticateForm):
    pass


class ReauthenticateByCodeForm(CodeChecking, second_factor.ReauthenticateForm):
    pass


class ActivateForm(Plain, ActivateTOTPForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _for_codes(self.fields["code"])


class JoinForm(forms.Form):
    """What an invited person chooses."""

    username = UsernameField(
        label="User name",
        max_length=150,
        validators=[User.username_validator],
        widget=forms.TextInput({"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}),
    )
    password1 = forms.CharField(
        label="Password", strip=False, max_length=1000, widget=forms.PasswordInput({"autocomplete": "new-password"})
    )
    password2 = forms.CharField(
        label="Password again", strip=False, widget=forms.PasswordInput({"autocomplete": "new-password"})
    )

    def __init__(self, *args: Any, invitation: Invitation | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.invitation = invitation

    def clean(self) -> dict[str, Any]:
        given = self.cleaned_data
        if "password1" in given and given.get("password2") != given["password1"]:
            self.add_error("password2", "The two passwords are not the same.")
        if "password1" in given and "username" in given and self.invitation:
            person = User(username=given["username"], email=self.invitation.email, last_name=self.invitation.name)
            try:
                validate_password(given["password1"], person)
            except forms.ValidationError as error:
                self.add_error("password1", error)
        return given


def _for_codes(field: forms.Field) -> None:
    field.label = "Code"
    field.widget.attrs |= {"autofocus": True, "autocapitalize": "none", "spellcheck": "false"}
