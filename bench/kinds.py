# SPDX-License-Identifier: Apache-2.0
"""Rules that rest on one kind of leaf each: conditions that are loaded and hold for (next to) no event.

Each is a text in which {0} is the number of the rule, {1} and {2} its high and low byte.
"""

KINDS = {
    # Texts.
    '=': 'proc.name = rule-{0}',
    'in': 'fd.name in (/srv/rule-{0}, /opt/rule-{0}/x)',
    'startswith': 'fd.name startswith /srv/rule-{0}/',
    'endswith': 'fd.name endswith .rule-{0}',
    'contains': 'fd.name contains rule-{0}/',
    'icontains': 'fd.name icontains Rule-{0}/',
    'glob': 'fd.name glob "*/rule-{0}/*.key"',
    'iglob': 'fd.name iglob "*/Rule-{0}/*.key"',
    'regex': 'fd.name regex "/srv/[a-z]+/rule-{0}/.*"',
    'pmatch': 'fd.name pmatch (/usr/lib/rule-{0}, /etc/rule-{0})',
    'pmatch, first component': 'fd.name pmatch (/r{0}, /q{0})',
    'pmatch, globs': 'fd.name pmatch (/home/*/rule-{0})',
    '= anyof': 'proc.name = anyof (rule-{0}, other-{0})',
    # Numbers and addresses.
    'number =': 'evt.rawres = {0}00000007',
    'number >': 'evt.rawres > {0}000000000000007',
    'number <=': 'evt.rawres <= -{0}00000007',
    'number in': 'fd.num in ({0}00001, {0}00002)',
    'number between': 'fd.num >= {0}000 and fd.num < {0}900',
    'time >': 'proc.duration > {0}000000000000000000',
    'port between': 'fd.sport >= 2{0} and fd.sport < 2{0}',
    'port of either end': 'fd.port in (4{0}, 5{0})',
    'address =': 'fd.sip = 172.16.{1}.{2}',
    'address in': 'fd.cip in (172.16.{1}.{2}, 172.17.{1}.{2})',
    'network in': 'fd.snet in (172.{1}.{2}.0/24, 171.{1}.{2}.0/24)',
    'network in, IPv6': 'fd.cnet in ("2001:db8:{0}::/48", "2001:db9:{0}::/48")',
    'network of either end': 'fd.net in (172.{1}.{2}.0/24)',
    'double': 'proc.fdusage > {0}00',
    # Operands that are more than a field.
    'tolower()': 'tolower(fd.name) startswith /srv/rule-{0}/',
    'basename()': 'basename(fd.name) = rule-{0}',
    'len()': 'len(fd.name) > {0}000',
    'any ancestor': 'proc.aname in (rule-{0}, other-{0})',
    'one ancestor': 'proc.aname[2] = rule-{0}',
    'proc.args': 'proc.args contains rule-{0}',
    'proc.cmdline': 'proc.cmdline contains rule-{0}',
    'parameter': 'evt.arg.name startswith /srv/rule-{0}/',
    'parameter by number': 'evt.arg[1] contains rule-{0}',
    'raw parameter =': 'evt.rawarg.fd = {0}00007',
    'raw parameter >': 'evt.rawarg.fd > {0}00007',
    'text parameter >': 'evt.arg.mode > 9{0}',
    # No key of their own: with one that has.
    'two fields': 'proc.name = val(proc.pname) and fd.name startswith /srv/rule-{0}/',
    'truth': 'proc.is_exe_writable = true and fd.num = {0}00001',
    'exists': 'proc.pname exists and fd.name endswith .rule-{0}',
    '!= and =': 'proc.name != rule-{0} and fd.name = /srv/rule-{0}',
    'or': 'proc.name = rule-{0} or fd.name startswith /srv/rule-{0}/',
    # No key at all.
    'not in': 'proc.name exists and not proc.exepath startswith anyof (/, /rule-{0}) and proc.name != ""',
    'not startswith': 'fd.name startswith / and not fd.name startswith anyof (/, rule-{0})',
    'number !=': 'fd.num != {0}00001 and fd.num < -5000000',
    'ancestors apart': 'proc.aname[{0}] = rule-{0}',
    'variables apart': 'proc.env[RULE_{0}] = x',
    'volatile': 'evt.deltatime > {0}000000000000000',
}


def rules(kind, n):
    """A rule file with n of them."""
    out = []
    for i in range(n):
        condition = KINDS[kind].format(i + 10, i // 250, i % 250)
        out.append(f"- rule: rule {i}\n  desc: measured\n  condition: >\n    {condition}\n  output: x\n  priority: INFO\n")
    return ''.join(out)
