"""What the pages say, in English and Japanese; refusals by the word of their address."""

import re
from typing import Final

from jpki.authentication.demonstration.refusals import Refusal

Texts = dict[str, str | dict[str, tuple[str, str]]]

LANGUAGES: Final = ("ja", "en")
NAMES: Final = {"ja": "日本語", "en": "English"}
FALLBACK: Final = "en"
RANGE: Final = re.compile(r"([a-z]{1,8})(?:-[a-z0-9-]+)?(?:;q=(0(?:\.\d{1,3})?|1(?:\.0{1,3})?))?")
MAX_RANGES: Final = 20


def preferred_language(accepted: str) -> str:
    """Return the language of ours that an Accept-Language prefers. RFC 9110 12.5.4."""
    wanted: dict[str, float] = {}
    for part in accepted.lower().replace(" ", "").split(",")[:MAX_RANGES]:
        match = RANGE.fullmatch(part)
        if match is not None and match[1] in LANGUAGES:
            quality = float(match[2] or 1)
            wanted[match[1]] = max(quality, wanted.get(match[1], 0.0))
    best = max(wanted, key=lambda language: wanted[language], default=FALLBACK)
    return best if wanted.get(best, 1.0) > 0 else FALLBACK


EN: Final[Texts] = {
    "site": "Demonstration site",
    "title": "Log in with your My Number Card",
    "lead": "No user name and no password: the card on your reader, and its four-digit PIN.",
    "log_in": "Log in with the card",
    "without_script": "This page needs JavaScript to speak to the card.",
    "asking": "Asking for a challenge …",
    "at_the_card": "Look for the PIN window. It names this site:",
    "checking": "Checking …",
    "learns": "What this site will learn",
    "learns_certificate": "your authentication certificate: no name, no address, no birth date",
    "learns_number": "a number in it that is the same at every site",
    "learns_municipality": "the municipality that issued your card",
    "needs": "What you need",
    "needs_card": "your card and a reader, or a virtual card",
    "needs_pin": "its four-digit authentication PIN; three wrong ones in a row block it",
    "needs_extension": "the Web eID extension in this browser",
    "needs_program": "the program behind it:",
    "logged_in": "You are logged in",
    "logged_in_lead": "The card signed this site’s challenge; its certificate passed the check.",
    "seen": "What this site has seen",
    "user_number": "You, to this site",
    "user_number_note": "the same at your next login; perhaps another after a renewal",
    "issued_by": "Card issued in",
    "not_said": "not said",
    "valid_until": "Certificate valid until",
    "revocation": "Revocation",
    "checked": "checked: not revoked",
    "not_checked": "not checked (JPKI tells registered verifiers only)",
    "test_card": "A test card: this login is nobody’s.",
    "log_out": "Log out",
    "not_logged_in": "You were not logged in",
    "again": "Back to the login",
    "missing": "There is no such page",
    "missing_lead": "The address may be mistyped, or the page may be gone.",
    "foot": "A demonstration for developers, made with jpki. It keeps no certificate.",
    "refusals": {
        Refusal.CANCELLED: (
            "You closed the PIN window",
            "Nothing was sent, and no PIN try was spent. Start again when you are ready.",
        ),
        Refusal.TIMED_OUT: (
            "It took too long",
            "Nobody entered a PIN in time. Put the card on the reader and start again.",
        ),
        Refusal.NO_EXTENSION: (
            "The Web eID extension does not answer",
            "Install the extension in this browser, allow it on this site, and load the page anew.",
        ),
        Refusal.NO_PROGRAM: (
            "The program behind the extension is missing",
            "Install it with “jpki auth native-host install”, then start the browser again.",
        ),
        Refusal.OLD_PROGRAM: (
            "Extension and program do not fit together",
            "One of the two is too old. Update both, then start the browser again.",
        ),
        Refusal.CARD_FAILED: (
            "The card could not be used",
            "Check that your card lies on the reader. “jpki status” tells whether it can be read,"
            " and how many tries its PIN has left.",
        ),
        Refusal.SESSION_OVER: (
            "This page was open for too long",
            "Its session is over, so nothing was done. Go back to the login and start again.",
        ),
        Refusal.TOO_MANY: (
            "Too many attempts",
            "From your address there were more attempts than this site allows."
            " Wait for a minute and try again.",
        ),
        Refusal.TOO_LATE: (
            "The answer came too late",
            "A challenge is good for five minutes. Start again, and enter the PIN before that.",
        ),
        Refusal.USED: (
            "This answer was used before",
            "Each challenge is answered once. Start again to get a new one.",
        ),
        Refusal.OTHER_WINDOW: (
            "The answer belongs to another session",
            "It was made for another browser or an earlier page. Start again in this one.",
        ),
        Refusal.OTHER_SITE: (
            "The card’s signature is not for this login",
            "It was made for another site or another challenge. If a window named a site other"
            " than this one, do not enter your PIN there.",
        ),
        Refusal.NO_TOKEN: (
            "The answer cannot be read",
            "It is no login token of a My Number Card, or it was damaged on its way. Start again.",
        ),
        Refusal.EXPIRED: (
            "The certificate is not valid now",
            "Your authentication certificate has expired, or is not valid yet. The city office"
            " renews it free of charge.",
        ),
        Refusal.REVOKED: (
            "The certificate was revoked",
            "Your authentication certificate can no longer be used. The city office issues a new"
            " one.",
        ),
        Refusal.SUSPENDED: (
            "The certificate is suspended",
            "The card was reported lost. If you have found it, the city office lifts the"
            " suspension.",
        ),
        Refusal.REVOCATION_UNKNOWN: (
            "Nobody could tell whether the certificate still holds",
            "This site wants to know, and got no answer just now. Try again later.",
        ),
        Refusal.WRONG_CERTIFICATE: (
            "This is not the certificate for logging in",
            "The signature certificate (署名用) signs documents. Log in with the authentication"
            " certificate (利用者証明用).",
        ),
        Refusal.UNKNOWN_CA: (
            "This site does not know who issued the card",
            "For a test card, start the site with “--trust” and the certificate of its CA; for a"
            " real one, run “jpki trust fetch” first.",
        ),
        Refusal.BAD_CERTIFICATE: (
            "The certificate did not pass the check",
            "It is not what the certificate of a My Number Card looks like. “jpki cert verify"
            " authentication” says more.",
        ),
    },
}

JA: Final[Texts] = {
    "site": "デモサイト",
    "title": "マイナンバーカードでログイン",
    "lead": "ユーザー名もパスワードも要りません。必要なのは、カードと4桁の暗証番号だけです。",
    "log_in": "カードでログイン",
    "without_script": "カードと通信するには JavaScript が必要です。",
    "asking": "チャレンジを取得しています…",
    "at_the_card": "暗証番号の入力画面を確認してください。表示されるサイト:",
    "checking": "確認しています…",
    "learns": "このサイトに伝わる情報",
    "learns_certificate": "利用者証明用電子証明書（氏名・住所・生年月日は含まれません）",
    "learns_number": "証明書に含まれる、どのサイトでも同じ番号",
    "learns_municipality": "カードを発行した市区町村",
    "needs": "用意するもの",
    "needs_card": "マイナンバーカードとカードリーダー（仮想カードも可）",
    "needs_pin": "利用者証明用暗証番号（4桁）。続けて3回間違えるとロックされます",
    "needs_extension": "このブラウザーの Web eID 拡張機能",
    "needs_program": "拡張機能と連携するプログラム:",
    "logged_in": "ログインしました",
    "logged_in_lead": "カードがこのサイトのチャレンジに署名し、証明書の検証に合格しました。",
    "seen": "このサイトが受け取った情報",
    "user_number": "このサイトでのあなたの識別子",
    "user_number_note": "次回のログインでも同じです。証明書を更新すると変わることがあります",
    "issued_by": "カードの発行地",
    "not_said": "記載なし",
    "valid_until": "証明書の有効期限",
    "revocation": "失効の確認",
    "checked": "確認済み（失効していません）",
    "not_checked": "未確認（失効情報は届出をした検証者にのみ提供されます）",
    "test_card": "テスト用カードです。実在する人のログインではありません。",
    "log_out": "ログアウト",
    "not_logged_in": "ログインできませんでした",
    "again": "ログイン画面に戻る",
    "missing": "ページが見つかりません",
    "missing_lead": "アドレスが間違っているか、ページがなくなっています。",
    "foot": "jpki で作られた開発者向けのデモです。証明書は保存しません。",
    "refusals": {
        Refusal.CANCELLED: (
            "暗証番号の入力が取り消されました",
            "何も送信されず、暗証番号の入力回数も減っていません。準備ができたら、もう一度始めてください。",
        ),
        Refusal.TIMED_OUT: (
            "時間切れになりました",
            "時間内に暗証番号が入力されませんでした。カードをリーダーに置いて、もう一度始めてください。",
        ),
        Refusal.NO_EXTENSION: (
            "Web eID 拡張機能が応答しません",
            "このブラウザーに拡張機能をインストールし、このサイトでの使用を許可してから、ページを再読み込みしてください。",
        ),
        Refusal.NO_PROGRAM: (
            "拡張機能と連携するプログラムがありません",
            "「jpki auth native-host install」でインストールし、ブラウザーを起動し直してください。",
        ),
        Refusal.OLD_PROGRAM: (
            "拡張機能とプログラムのバージョンが合いません",
            "どちらかが古くなっています。両方を更新し、ブラウザーを起動し直してください。",
        ),
        Refusal.CARD_FAILED: (
            "カードを使用できませんでした",
            "カードがリーダーに置かれているか確認してください。"
            "カードの状態と暗証番号の残り回数は「jpki status」で確認できます。",
        ),
        Refusal.SESSION_OVER: (
            "ページを開いてから時間が経ちすぎました",
            "セッションが終了したため、何も行われませんでした。ログイン画面に戻って、もう一度始めてください。",
        ),
        Refusal.TOO_MANY: (
            "試行回数が多すぎます",
            "お使いのアドレスからの試行が上限を超えました。1分ほど待ってから、もう一度お試しください。",
        ),
        Refusal.TOO_LATE: (
            "応答が間に合いませんでした",
            "チャレンジの有効時間は5分です。もう一度始めて、時間内に暗証番号を入力してください。",
        ),
        Refusal.USED: (
            "この応答はすでに使用されています",
            "チャレンジへの応答は一度しか使えません。もう一度始めると、新しいチャレンジが発行されます。",
        ),
        Refusal.OTHER_WINDOW: (
            "別のセッションの応答です",
            "別のブラウザーか、以前のページで作られたものです。このページで、もう一度始めてください。",
        ),
        Refusal.OTHER_SITE: (
            "カードの署名がこのログインのものではありません",
            "別のサイトか、別のチャレンジのために作られた署名です。このサイト以外の名前が表示された画面では、暗証番号を入力しないでください。",
        ),
        Refusal.NO_TOKEN: (
            "応答を読み取れません",
            "マイナンバーカードのログイントークンではないか、途中で壊れています。もう一度始めてください。",
        ),
        Refusal.EXPIRED: (
            "証明書の有効期間外です",
            "利用者証明用電子証明書の有効期限が切れているか、有効期間がまだ始まっていません。更新は市区町村の窓口で、無料で行えます。",
        ),
        Refusal.REVOKED: (
            "証明書は失効しています",
            "この利用者証明用電子証明書は使用できません。市区町村の窓口で新しい証明書の発行を受けてください。",
        ),
        Refusal.SUSPENDED: (
            "証明書は一時停止されています",
            "カードの紛失が届け出られています。カードが見つかった場合は、市区町村の窓口で一時停止の解除を受けてください。",
        ),
        Refusal.REVOCATION_UNKNOWN: (
            "証明書が失効していないか確認できませんでした",
            "このサイトは失効の確認を必要としますが、今は応答がありませんでした。時間をおいて、もう一度お試しください。",
        ),
        Refusal.WRONG_CERTIFICATE: (
            "ログイン用の証明書ではありません",
            "署名用電子証明書は文書の署名に使うものです。ログインには利用者証明用電子証明書を使ってください。",
        ),
        Refusal.UNKNOWN_CA: (
            "カードの発行元を確認できません",
            "テスト用カードの場合は、その認証局の証明書を「--trust」で指定してサイトを起動してください。"
            "実際のカードの場合は、先に「jpki trust fetch」を実行してください。",
        ),
        Refusal.BAD_CERTIFICATE: (
            "証明書の検証に合格しませんでした",
            "マイナンバーカードの証明書の形をしていません。"
            "詳しくは「jpki cert verify authentication」で確認できます。",
        ),
    },
}

TEXTS: Final = {"ja": JA, "en": EN}
