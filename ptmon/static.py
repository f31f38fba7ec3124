# SPDX-License-Identifier: GPL-2.0-or-later
"""Names of ``typing`` that a type checker alone asks for. To import them is a tenth of a short run, with ``re``, which
comes along; here they mean nothing when the program runs.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any as Any
    from typing import Never as Never
    from typing import Protocol as Protocol
    from typing import TextIO as TextIO
    from typing import TypeGuard as TypeGuard
else:
    Any = Never = Protocol = TextIO = TypeGuard = object
