# SPDX-License-Identifier: Apache-2.0
"""What must be refused is refused, in words, and changes nothing."""

import bad_rights
import bad_signatures
import bad_values
import unchanged

with unchanged.nothing("bad signatures"):
    bad_signatures.run()
bad_values.run()
bad_rights.run()
