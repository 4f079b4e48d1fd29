# SPDX-License-Identifier: Apache-2.0
"""Every operation of HSS that is part of this product, for what it means and not only for its status."""

import every_events
import every_exports
import every_hosts
import every_plans
import every_policies
import every_scans
import every_settings
import every_tokens
import every_words

every_settings.run()
every_hosts.run()
every_policies.run()
every_events.run()
every_scans.run()
every_plans.run()
every_exports.events()
every_words.run()
every_tokens.run()
every_exports.samples()
