"""The frame of a letter: which units are header, title, salutation, closing, signature or contact lines.

Patterns are built from the lexicon table ``structure``. Each function looks at one unit, or at the units at
the two ends of the letter; headings and lead-ins are `outline`'s work, the values of the fields `header`'s.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache

from commitments.draft import Unit
from commitments.lexicon import table
from commitments.terms import Role

# A date as signature blocks write it; 〇 is also typed as ○, O, o, 0 or Ｏ; digits may carry stray spaces.
YEAR = r"(?:(?:19|20)\s?\d\s?\d|[一二][一二三四五六七八九〇零○ＯOo0]{3})"
DATE = (
    rf"{YEAR}\s?(?:年\s?(?:\d{{1,2}}|[一二三四五六七八九十元]{{1,2}})\s?月\s?(?:\d{{1,2}}|[一二三四五六七八九十廿]{{1,3}})\s?[日号]?"
    r"|[-/.．]\s?\d{1,2}\s?[-/.．]\s?\d{1,2}\s?日?)"
)
# Sites mask names with ×.
DOC_NUMBER = r"[一-鿿A-Za-z×]{1,18}\s?[〔［\[(（【]\s?(?:19|20)\d{2}\s?[〕］\])）】]\s?(?:第\s?)?\d{1,6}\s?号"
_SPACE = r"[\s　]*"
_LISTED = re.compile(r"\d{1,2}\s?[.．、]")
_HEAD_UNITS = 40  # what stands above a letter is sought in its first units
_ATTACHMENTS = 20  # lines of a list of attachments, at most


def alternatives(words: Sequence[str]) -> str:
    """A regular expression that matches any of the words, the longest first.

    >>> alternatives(["局", "管理局"])
    '管理局|局'
    """
    return "|".join(re.escape(word) for word in sorted(words, key=lambda w: (-len(w), w)))


class Frame:
    """The compiled patterns of the frame."""

    def __init__(self) -> None:
        lexicon = table("structure")
        header, closing = lexicon["header"], lexicon["closing"]
        result_values = alternatives(header["result_values"])
        code = rf"[A-DＡ-Ｄ]\d?(?:\s?类)?|{result_values}"
        self.result = re.compile(
            rf"[（(【\[]?{_SPACE}(?:{alternatives(header['result_labels'])}){_SPACE}[：:]{_SPACE}[（(]?(?P<value>{code}|[^\s，。；|（()）]{{1,10}})"
        )
        # A code alone on its line, after the document number, or behind the salutation.
        self.code_line = re.compile(rf"[（(【\[]?{_SPACE}(?P<value>{code}){_SPACE}[）)】\]]?{_SPACE}$")
        self.code_tail = re.compile(
            r"(?:号|[：:]|[\s　])[（(]?(?P<value>[A-DＡ-Ｄ]\d?(?:\s?类)?)[）)]?[\s　]*$"
        )
        self.publicity = re.compile(
            rf"(?:(?:{alternatives(header['publicity_labels'])}){_SPACE}[：:]?{_SPACE})?"
            rf"(?P<value>{alternatives(header['publicity_values'])})"
        )
        self.publicity_label = re.compile(rf"(?:{alternatives(header['publicity_labels'])}){_SPACE}[：:]")
        self.publicity_line = re.compile(
            rf"[（(【\[]?{_SPACE}(?:(?:{alternatives(header['publicity_labels'])}){_SPACE}[：:]{_SPACE})?"
            rf"(?:{alternatives(header['publicity_values'])}){_SPACE}[）)】\]]?{_SPACE}$"
        )
        index = rf"索{_SPACE}引{_SPACE}号|{alternatives(header['index_labels'])}"
        self.index = re.compile(rf"[（(【\[]?(?:{index}){_SPACE}[：:]")
        self.agency_row = re.compile(
            rf"(?:{alternatives(header['agency_labels'])}){_SPACE}[：:]{_SPACE}(?P<value>[^\s　|]{{2,30}})"
        )
        self.date_row = re.compile(
            rf"(?:{alternatives(header['date_labels'])}){_SPACE}[：:]{_SPACE}(?P<value>{DATE})"
        )
        self.doc_number = re.compile(DOC_NUMBER)
        self.doc_line = re.compile(
            rf"[（(【\[]?(?:工作函|文号[：:])?{_SPACE}(?:{DOC_NUMBER}|[一-鿿]{{2,12}}第\d{{1,5}}号)[）)】\]]?"
            rf"{_SPACE}(?:签发人[：:]\S{{1,8}}|[（(]?[A-DＡ-Ｄ]\d?{_SPACE}类?[）)]?|{alternatives(header['publicity_values'])})?{_SPACE}$"
        )
        self.page_number = re.compile(
            r"[—\-–－\s]*\d{1,3}[—\-–－\s]*$|第\s?\d+\s?页(?:\s?[,，/共]\s?\d+\s?页?)?$|[—\-–－*＊=＝_]{3,}$"
        )
        agencies = alternatives(lexicon["agency"]["endings"])
        self.agency = re.compile(
            rf"[一-鿿A-Za-z0-9×（）()·、\s　]{{0,36}}(?:{agencies})"
            rf"(?:[（(](?:代?章|盖章|印章|公章)[）)])?{_SPACE}$"
        )
        contacts = rf"[（(]?(?:{_spaced(lexicon['contact']['labels'])}){_SPACE}[：:]"
        self.signature = re.compile(
            rf"(?:(?P<agency>[一-鿿A-Za-z0-9×（）()·、]{{0,32}}?(?:{agencies}))"
            r"(?:[（(](?:代?章|盖章|印章|公章)[）)])?[，,\s　]*)?"
            rf"[（(]?(?P<date>{DATE})[）)]?{_SPACE}(?:[（(][^（）()]{{1,12}}[）)])?[。.]?{_SPACE}(?:{contacts}[^。；]{{0,60}})?$"
        )
        # 首页 > 政务公开 > 建议提案
        self.trail = re.compile(r"[^>＞]{1,20}(?:[>＞]+|>>|»)[^>＞]{1,20}")
        self.date_only = re.compile(rf"[（(]?{DATE}[）)]?{_SPACE}$")
        # “2021年8月” signs a letter too, but is no date that a day could be read from.
        self.month_only = re.compile(
            rf"[（(]?{YEAR}\s?年\s?(?:\d{{1,2}}|[一二三四五六七八九十元]{{1,2}})\s?月[）)]?{_SPACE}$"
        )
        # What stands above the date is a body, even one whose name no list of endings holds.
        self.name = re.compile(
            rf"[一-鿿×（）()·、\s　]{{1,28}}[部局厅委办会院所社队处科室站馆台团司署校]{_SPACE}$"
        )
        # “某县政府办公室　2012年9月20日印发”
        self.issued = re.compile(rf"[^。，；]{{0,40}}{DATE}{_SPACE}印发{_SPACE}$")
        self.title = re.compile(
            r"(?=.*(?:建议|提案|代表|委员|议案|意见|来信|问题|第\S{1,12}号))"
            r"(?:[^。！；]{2,40}?)?(?:关于|对)[^。！；]{2,110}?"
            r"(?:答复|的?复函|答复函|的函|办理意见|会办意见|答复意见|办理情况|办理情况的报告|回复|办理复文|复文|办理答复|会办函|分办函)"
            r"(?:[（(][^（）()]{1,12}[）)])?[\s　]*[A-DＡ-Ｄ]?\d?$"
        )
        sal = lexicon["salutation"]
        people = alternatives([*sal["deputies"], *sal["members"], *sal["citizens"]])
        party = alternatives(sal["parties"])
        # “网友‘…’：您好！”, “尊敬的张代表：”; a date or a code may be glued before or after.
        self.greeting = re.compile(
            rf"(?:{DATE}{_SPACE})?(?:各位|广大|尊敬的|亲爱的)?{_SPACE}(?:[“\"‘'][^”\"’']{{0,30}}[”\"’']|UU\d+|[^，。！？；：:\s“”《》]{{0,24}}(?:{people})|你|您)?"
            rf"{_SPACE}(?:[“\"‘'][^”\"’']{{0,30}}[”\"’'])?(?:[（(][^（）()]{{1,16}}[）)])?(?:{people})?{_SPACE}[，,：:]?{_SPACE}"
            rf"(?:(?:您|你|您们|你们|大家)好)?{_SPACE}[！!。，,：:~～]*{_SPACE}(?:[（(]?[A-DＡ-Ｄ]\d?类?[）)]?)?{_SPACE}$"
        )
        self.addressed = re.compile(
            rf"(?:尊敬的|各位)?{_SPACE}(?P<who>[^，。！？；：:“”《》]{{0,30}}(?:{people})(?:[（(][^（）()]{{1,16}}[）)])?"
            rf"|[^，。！？；：:“”《》]{{0,16}}(?:{party})[^，。！？；：:“”《》]{{0,20}}"
            rf"|[^，。！？；：:“”《》]{{2,26}}(?:{agencies})"
            rf"|[^，。！？；：:“”《》]{{0,24}}(?:代表|委员)[^，。！？；：:“”《》]{{0,8}})"
            rf"{_SPACE}(?:您好|你好|你们好)?[：:！!]"
        )
        self.party = re.compile(party)
        self.deputy = re.compile(alternatives(sal["deputies"]))
        self.member = re.compile(alternatives([*sal["members"], *sal["parties"]]))
        self.citizen = re.compile(rf"{alternatives(sal['citizens'])}|UU\d+")
        openers = alternatives(closing["openers"])
        polite = alternatives([*closing["thanks"], *closing["wishes"]])
        self.formula = re.compile(
            rf"(?:{alternatives(closing['formulas'])})(?=[。！!，,：:\s～~]|$|[^。]{{0,24}}[。！!]?$)"
        )
        self.courtesy = re.compile(rf"(?:(?:{openers})[，,、\s]*){{0,4}}(?:{polite})")
        # “以上答复，如有意见，请及时反馈。”: an offer to the asker.
        self.offer = re.compile(
            r"(?:(?:以上|对以上|对上述)[^，。]{0,8}[，,])?(?:您|你们?|代表|委员)?如(?:果|仍|您|你们?){0,2}[^，。；]{0,4}"
            r"(?:有|对)[^，。；]{0,14}(?:意见|建议|疑问|异议|问题|不满意?|不清楚)[^，。；]{0,8}[，,](?:敬请|请|可|欢迎)[^，。；]{0,40}[。！]?$"
        )
        self.courtesy_blockers = re.compile(alternatives(closing["blockers"]))
        self.contact = re.compile(
            rf"[（(【]?{_SPACE}(?:{_spaced(lexicon['contact']['labels'])}){_SPACE}[：:]"
        )
        self.attachment = re.compile(
            rf"[（(]?(?:{alternatives(lexicon['attachment']['labels'])}){_SPACE}\d{{0,2}}{_SPACE}[：:．.]"
        )
        self.copies = re.compile(rf"[（(【\[]?(?:{alternatives(lexicon['attachment']['copies'])})")


def _spaced(labels: Sequence[str]) -> str:
    """Like `alternatives`, for labels that tables spread with spaces (邮　编)."""
    ordered = sorted(labels, key=lambda w: (-len(w), w))
    return "|".join(
        _SPACE.join(re.escape(c) for c in label) if len(label) == 2 else re.escape(label) for label in ordered
    )


@cache
def frame() -> Frame:
    """The patterns, compiled once."""
    return Frame()


def courtesy(text: str) -> bool:
    """Whether a unit is a formula of thanks, good wishes or dispatch that promises and reports nothing.

    >>> courtesy("感谢您对我们工作的关心与支持！"), courtesy("感谢您的建议，我局将尽快整改。")
    (True, False)
    """
    f = frame()
    if len(text) > 90:
        return False
    if f.offer.match(text):
        return True
    if f.formula.match(text):
        return not f.courtesy_blockers.search(text) or len(text) <= 8
    return bool(f.courtesy.match(text)) and not f.courtesy_blockers.search(text)


def head_role(text: str, alone: bool) -> Role | None:
    """The role of a unit at the head of a letter, or ``None`` when it is no part of the frame.

    Args:
        text: of the unit.
        alone: whether nothing else stands on its line.

    >>> head_role("主动公开", alone=True).value, head_role("关于第9号建议的答复", alone=True).value
    ('metadata', 'title')
    """
    f = frame()
    if len(text) > 160:
        return None
    if (
        f.index.match(text)
        or (alone and f.trail.search(text))
        or f.result.match(text)
        or f.publicity_line.match(text)
        or f.doc_line.match(text)
        or f.code_line.match(text)
        or f.page_number.match(text)
        or f.copies.match(text)
        or f.contact.match(text)
        or (alone and f.date_only.match(text))
    ):
        return Role.METADATA
    if alone and f.title.match(text):
        return Role.TITLE
    if alone and len(text) <= 40 and f.agency.match(text):
        return Role.METADATA
    if salutation(text):
        return Role.SALUTATION
    return None


def salutation(text: str) -> bool:
    """Whether a unit only greets (称谓).

    >>> salutation("尊敬的李代表："), salutation("网友“甲”：您好！"), salutation("代表所提建议很好。")
    (True, True, False)
    """
    f = frame()
    if len(text) > 70:
        return False
    if text.endswith(("：", ":")) and (m := f.addressed.match(text)) and m.end() >= len(text.rstrip()):
        return True
    m = f.greeting.match(text)
    return bool(m) and any(c in text for c in "好：:友") and len(text) >= 2


def tail_role(text: str, alone: bool) -> Role | None:
    """The role of a unit at the foot of a letter, or ``None`` when it is no part of the frame.

    Args:
        text: of the unit.
        alone: whether nothing else stands on its line.

    >>> [tail_role(t, alone=True).value for t in ("2023年6月12日", "附件：1.清单", "抄送：县人大办")]
    ['signature', 'attachment', 'metadata']
    """
    f = frame()
    if len(text) > 160:
        return None
    if f.contact.match(text):
        return Role.CONTACT
    if f.attachment.match(text):
        return Role.ATTACHMENT
    if (
        f.copies.match(text)
        or f.publicity_line.match(text)
        or f.page_number.match(text)
        or f.index.match(text)
        or f.issued.match(text)
        or f.agency_row.match(text)
        or f.date_row.match(text)
    ):
        return Role.METADATA
    if f.signature.match(text):
        return Role.SIGNATURE
    if alone and len(text) <= 40 and (f.agency.match(text) or f.month_only.match(text)):
        return Role.SIGNATURE
    if courtesy(text):
        return Role.CLOSING
    if f.result.match(text) and len(text) < 30:
        return Role.METADATA
    return None


def frame_roles(units: Sequence[Unit], letter: Sequence[int], alone: Sequence[bool]) -> dict[int, Role]:
    """Roles of the units at both ends of the letter, and of the courtesies and dates inside it.

    Args:
        units: all units of the draft.
        letter: indices of those that belong to the letter.
        alone: for each unit, whether nothing else stands on its line.

    Returns:
        Role by index, for the units that belong to the frame; the others are the letter's matter.
    """
    roles, head = _head(units, letter, alone)
    foot = _foot(units, letter, alone, head, roles)
    for k in range(head, foot):
        i = letter[k]
        role = _within(units, letter, k, alone[i])
        if role is not None:
            roles[i] = role
    return roles


def _head(units: Sequence[Unit], letter: Sequence[int], alone: Sequence[bool]) -> tuple[dict[int, Role], int]:
    """Roles above the matter, and the place in `letter` where the matter begins."""
    roles: dict[int, Role] = {}
    head = 0
    greeted = False
    for k, i in enumerate(letter[:_HEAD_UNITS]):
        text = units[i].text
        role = head_role(text, alone[i])
        if role is None and not greeted and alone[i] and _broken_title(units, letter, k):
            roles[i] = roles[letter[k + 1]] = Role.TITLE
            head = k + 2
            continue
        if role is None:
            if k < head:
                continue
            if greeted or not alone[i] or len(text) > 40 or text[-1] in "。；！？":
                break
            # A line of page furniture may precede what is certain: keep looking, but leave it to be read.
            continue
        greeted = greeted or role is Role.SALUTATION
        for j in range(head, k):
            roles.setdefault(letter[j], Role.METADATA)
        roles[i] = role
        head = k + 1
    return roles, head


def _foot(
    units: Sequence[Unit], letter: Sequence[int], alone: Sequence[bool], head: int, roles: dict[int, Role]
) -> int:
    """Give the units below the matter their roles; return the place in `letter` where the matter ends."""
    foot = len(letter)
    while foot > head:
        i = letter[foot - 1]
        role = tail_role(units[i].text, alone[i])
        if role is None and alone[i] and _above_date(units, letter, foot - 1):
            role = Role.SIGNATURE
        if role is not None:
            roles[i] = role
            foot -= 1
            continue
        attached = _attached(units, letter, foot, alone)
        if not attached:
            break
        roles.update(dict.fromkeys(attached, Role.ATTACHMENT))
        foot -= len(attached)
    return foot


def _within(units: Sequence[Unit], letter: Sequence[int], k: int, alone: bool) -> Role | None:
    """The role of a unit between head and foot that is certainly no matter: signatures and courtesies."""
    f = frame()
    text = units[letter[k]].text
    if len(text) > 90:
        return None
    if f.signature.match(text) or (alone and _signs(units, letter, k)):
        return Role.SIGNATURE
    if courtesy(text):
        return Role.CLOSING
    if f.contact.match(text):
        return Role.CONTACT
    if alone and f.page_number.match(text):
        return Role.METADATA
    if len(text) <= 40 and f.greeting.match(text) and "好" in text:
        return Role.SALUTATION
    return None


def _above_date(units: Sequence[Unit], letter: Sequence[int], k: int) -> bool:
    """Whether a line at the foot that is shaped like a name stands above the date that signs."""
    f = frame()
    if k + 1 >= len(letter) or not f.name.match(units[letter[k]].text):
        return False
    below = units[letter[k + 1]].text
    return bool(f.date_only.match(below) or f.month_only.match(below))


def _attached(units: Sequence[Unit], letter: Sequence[int], foot: int, alone: Sequence[bool]) -> list[int]:
    """The lines of a list of attachments (附件：1．… 2．…) that ends before `foot`; empty when none does."""
    f = frame()
    for k in range(foot - 1, max(foot - _ATTACHMENTS, 0) - 1, -1):
        text = units[letter[k]].text
        if not alone[letter[k]] or len(text) > 80 or text[-1] in "。；！":
            return []
        if f.attachment.match(text):
            return list(letter[k:foot])
        if not _LISTED.match(text):
            return []
    return []


def _signs(units: Sequence[Unit], letter: Sequence[int], k: int) -> bool:
    """Whether a line is a body's name with the date on the next line."""
    if k + 1 >= len(letter) or len(units[letter[k]].text) > 40:
        return False
    f = frame()
    return bool(f.date_only.match(units[letter[k + 1]].text) and f.agency.match(units[letter[k]].text))


def _broken_title(units: Sequence[Unit], letter: Sequence[int], k: int) -> bool:
    """Whether the line and the next one make one title that the page broke."""
    if k + 1 >= len(letter):
        return False
    first, second = units[letter[k]].text, units[letter[k + 1]].text
    if len(first) > 60 or len(second) > 60 or first[-1] in "。；！：:" or ">" in first:
        return False
    f = frame()
    return not f.title.match(second) and bool(f.title.match(first + second))
