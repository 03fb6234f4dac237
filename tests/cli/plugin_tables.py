# SPDX-License-Identifier: Apache-2.0
"""
Plugins that follow events, send some and share tables: the example (examples/plugins/census.c), and one that takes what
is not its own (tests/plugins/greedy.c).
"""
import json
import os
import struct
import subprocess

import scapfile
from tap import PATIENCE, SAKER, SOURCE, capture, check, done, equal, fails, file, run, saker

FOLDER = os.environ.get('SAKER_PLUGINS', f'{SOURCE}/build')
CENSUS, LINES = (f'{FOLDER}/examples/plugins/lib{x}.so' for x in ('census', 'lines'))
GREEDY = f'{FOLDER}/tests/plugins/libgreedy.so'
CENSUS_RULES = f'{SOURCE}/examples/plugins/census_rules.yaml'
EXECVE = 293


def _rule(condition, output, source='syscall'):
    return file('rules.yaml', f'''
- rule: r
  desc: d
  condition: {condition}
  output: '{output}'
  priority: INFO
  source: {source}
''')


def _execve(ts, tid, name):
    def number(n, fmt='<q'):
        return struct.pack(fmt, n)
    text = name.encode() + b'\0'
    params = [number(0), text, b'', number(tid), number(tid), number(1), b'\0', number(1024), number(0), number(0),
              number(0, '<I'), number(0, '<I'), number(0, '<I'), text, b'cpu=/\0', b'A=1\0', number(0, '<i'), number(1),
              number(-1, '<i'), number(0, '<I')]
    return scapfile.event(scapfile.record(ts, tid, EXECVE, params))


def _runs(*names):
    """A capture in which one process begins these programs."""
    procs = scapfile.procs([scapfile.proc(1, 1, 0, b'init', b'/sbin/init'),
                            scapfile.proc(100, 100, 1, b'sh', b'/bin/sh', b'-c\0x\0')])
    events = [_execve(10**18 + i, 100, name) for i, name in enumerate(names)]
    return file('runs.scap', scapfile.section() + scapfile.machine() + procs + b''.join(events))


def _outputs(*args, **more):
    return [json.loads(x)['output_fields'] for x in done(saker(*args, '--json', **more)).splitlines()]


def a_plugin_that_follows_events_counts_them():
    path = _runs('a', 'b', 'a', 'a', 'c', 'b')
    got = _outputs('replay', path, '--plugin', CENSUS, '--rules', _rule('census.runs exists', '%proc.name %census.runs '
                                                                         '%census.programs %census.fds'))
    equal([(x['proc.name'], x['census.runs'], x['census.programs']) for x in got],
          [('a', 1, 1), ('b', 1, 2), ('a', 2, 2), ('a', 3, 2), ('c', 1, 3), ('b', 2, 3)])
    equal({x['census.fds'] for x in got}, {0})


def it_is_called_for_events_that_no_rule_wants():
    path = _runs(*['x'] * 50)
    got = _outputs('replay', path, '--plugin', CENSUS, '--rules', _rule('census.runs = 50', '%census.runs'))
    equal([x['census.runs'] for x in got], [50])


def its_example_rules_work_on_a_real_capture():
    lines = done(saker('replay', capture('processes.scap.gz'), '--plugin', CENSUS, '--rules', CENSUS_RULES)).splitlines()
    check(lines and all(b'New program (program=' in x or b'a hundred times' in x for x in lines), lines)
    names = [x.split(b'program=')[1].split(b' ')[0] for x in lines if b'New program' in x]
    equal(len(names), len(set(names)), names)


def a_thread_of_the_plugin_sends_events_of_its_own():
    log = file('log.txt', 'one\n')
    rules = _rule('evt.asynctype = census.beat', '%evt.num %evt.asynctype', 'lines')
    r = saker('run', '--disable-source', 'syscall', '--plugin', LINES + ':{"follow":true}', '--open-params', f'lines={log}',
              '--plugin', CENSUS + ':{"every_ms":5}', '--rules', rules, '--json', '--duration', '1')
    done(r)
    got = [json.loads(x)['output_fields'] for x in r.stdout.splitlines()]
    check(len(got) > 2 and all(x['evt.asynctype'] == 'census.beat' for x in got), got)
    # One line is an event of the source too; numbers go on.
    nums = [x['evt.num'] for x in got]
    equal(nums, sorted(set(nums)))


def _said(what, plugins=(), names=('a', 'b', 'a')):
    args = [x for p in (*plugins, GREEDY) for x in ('--plugin', p)]
    got = _outputs('replay', _runs(*names), *args, '--rules', _rule('greedy.said exists', '%greedy.said %proc.name'),
                   env={'WRONG': what})
    return [x['greedy.said'] for x in got]


TABLES = {
    'write own': 'mine',
    'write comm': 'renamed',
    'write null': 'refused: a text that is NULL',
    'write pid': 'refused: pid of a thread that is known is not to be written',
    'write table': "refused: the field 'file_descriptors' is only read",
    'entry unknown': "refused: the table 'threads' has no entry 4242",
    'entry null': 'refused: no such entry of the table',
    'entry made up': 'refused: no such entry of the table',
    'entry twice': 'refused: no such entry of the table',
    'entry erased': 'refused: the entry is gone',
    'field made up': 'refused: no such field of the table',
    'field of another': 'refused: no such field of the table',
    'key null': 'refused: a key that is NULL',
    'out null': 'refused',
    'entries many': 'refused: more than 4096 entries are held',
    'iterate': '2, all',
    'iterate null': 'refused',
    'thread made': '/made',
    'thread made twice': 'refused: the entry is in the table already',
    'thread negative': "refused: the table 'threads' does not take an entry -5",
    'thread left': 'ok',
    'thread destroyed': 'refused: no such entry of the table',
    'destroy a known one': 'refused: the entry is in the table; it can be erased',
    'fd made': 'of mine',
    'fd type': 'refused: 200 is no type of descriptors',
    'fd types': 'x',
    'fd erased': 'refused: the entry is gone',
    'fd wild': "refused: the table 'file_descriptors' does not take an entry 9223372036854775807",
    'fds of a thread let go': 'refused: no such table',
    'fds cleared': '0, all',
    'args iterated': '0, all',
    'args wild': "refused: the table 'args' has no entry -1",
    'args written': "refused: the table 'args' is only read",
    'own text null': 'refused: a text that is NULL',
    'own iterated': '0, not all',
    'own created': "refused: the table 'greed' has no such entry",
    'own listed': '0 none',
    'extract writes': 'refused: nothing is to be written in this call',
}


def whatever_a_plugin_does_with_tables_is_granted_or_refused():
    for what, say in TABLES.items():
        got = _said(what)
        equal([x for x in got if x], [say] * 3, what)


def entries_and_tables_of_another_time_are_refused():
    equal(_said('entry of another time')[1:], ['refused: no such entry of the table'] * 2)
    equal(_said('table of another time')[1:], ['refused: no such table'] * 2)


def threads_can_all_go_while_an_event_is_followed():
    for what in ('clear', 'iterate erasing'):
        equal(len(_said(what)), 3, what)


EARLY = {
    'field type': "refused: the field 'comm' of the table 'threads' is of type 9, not 4",
    'field unknown': "refused: the table 'threads' has no field 'nobody'",
    'field null': 'refused: no name for a field',
    'field long': 'refused: no name for a field',
    'field table': "refused: the table 'threads' takes no field of type 10",
    'field odd': "refused: the table 'threads' takes no field of type 77",
    'field taken': "refused: the field 'greedy.own' of the table 'threads' is of type 9, not 1",
    'fields many': "refused: the table 'threads' takes no more than 64 fields",
    'handle made up': 'refused: no such table',
    'table unknown': "refused: there is no table 'nobody'",
    'table key': "refused: the table 'threads' has keys of type 4, not 9",
    'table name': 'refused: a table without a name',
    'table empty name': 'refused: a table without a name',
    'table taken': "refused: there is a table 'threads' already",
    'table key type': "refused: the table 'greed' has keys of type 10",
    'entry early': "refused: the table 'threads' is still empty",
    'table null': 'refused: a table without a name',
    'table reader null': "refused: broken reader vtables of the table 'greed'",
    'table writer hole': "refused: broken writer vtables of the table 'greed'",
    'table fields differ': "refused: broken fields vtables of the table 'greed'",
    'table reader differs': "refused: inconsistent reader vtables of the table 'greed'",
    'table handle null': "refused: the table 'greed' has keys of type 4",
    'old api': 'ok',
}


def what_a_plugin_does_with_tables_when_it_begins_is_checked_too():
    for what, say in EARLY.items():
        equal(_said(what), [say] * 3, what)


def a_plugin_uses_the_table_of_another():
    equal(_said('census written', plugins=[CENSUS]), ['greed 41'] * 3)
    equal(_said('census null', plugins=[CENSUS]), ['refused: a key that is NULL'] * 3)
    equal(_said('census iterated', plugins=[CENSUS]), ['1, all', '2, all', '2, all'])
    equal(_said('census foreign entry', plugins=[CENSUS]), ['refused: no such entry of the table'] * 3)
    check(all(x.endswith('not all') for x in _said('census nested', plugins=[CENSUS])))


def a_plugin_that_fails_to_parse_stops_nothing():
    equal(len(_said('parse fails')), 3)
    equal(len(_said('types null')), 3)
    equal(len(_said('types many')), 3)


ASYNC = {
    '': 'ok',
    'async name': 'its name is not listed',
    'async no end': 'its name does not end where it should',
    'async lengths': 'its lengths do not add up',
    'async wild': 'its lengths do not add up',
    'async type': 'it is no async event',
    'async short': 'it has no proper length',
    'async long': 'it has no proper length',
    'async null': 'it has no proper length',
    'async floods': 'too many events wait',
}


def _greedy_run(what, rules):
    log = file('log.txt', 'one\n')
    return saker('run', '--disable-source', 'syscall', '--plugin', LINES, '--open-params', f'lines={log}', '--plugin',
                 GREEDY, '--rules', rules, env={'WRONG': what} if what else {})


def async_events_that_lie_are_refused():
    rules = _rule('evt.asynctype = greedy', '%evt.asynctype', 'lines')
    for what, say in ASYNC.items():
        r = _greedy_run(what, rules)
        done(r)
        first, last = [x for x in r.stderr.decode().splitlines() if x.startswith('greedy: ')]
        check(first.endswith(say), what, first)
        check(last.endswith('no event is wanted now'), what, last)
        equal(len(r.stdout.splitlines()), {'': 1, 'async floods': 4096}.get(what, 0), what)
    check(b"plugin 'greedy': 5904 async events found no room" in r.stderr, r.stderr)


def a_plugin_that_does_not_begin_to_send_is_told():
    fails(_greedy_run('async fails', _rule('evt.num > 0', 'x', 'lines')), 1, "plugin 'greedy': can't begin with async events")


# ---- captures ----


def _recorded(*args, name='recorded.scap', log='one two\nthree\n', plugins=()):
    path = os.path.join(os.path.dirname(file('log.txt', log)), name)
    more = [x for p in plugins for x in ('--plugin', p)]
    r = saker('record', path, '--disable-source', 'syscall', '--plugin', LINES, '--open-params',
              'lines=' + file('log.txt', log), *more, *args)
    done(r)
    return path, r.stderr


def events_of_plugins_are_recorded_and_read_again():
    path, said = _recorded()
    check(b'2 events in ' in said, said)
    rules = _rule('lines.number > 0', '%evt.num %lines.text %evt.source', 'lines')
    equal([(x['evt.num'], x['lines.text']) for x in _outputs('replay', path, '--plugin', LINES, '--rules', rules)],
          [(1, 'one two'), (2, 'three')])
    lines = done(saker('print', path, '--plugin', LINES)).splitlines()
    check(lines[0].endswith(b' lines one two') and lines[1].endswith(b' lines three'), lines)
    equal(len(lines), 2)


def a_recording_may_be_filtered_by_fields_of_plugins():
    path, said = _recorded('--filter', 'lines.text startswith th')
    check(b'1 events in ' in said, said)
    equal(done(saker('print', path, '--plugin', LINES, '--format', '%lines.number %lines.words')), b'2 (three)\n')


def a_recording_begins_with_what_plugins_know_already():
    path, _ = _recorded(plugins=[GREEDY])
    lines = done(saker('print', path, '--plugin', LINES, '--plugin', GREEDY, '--format', '%evt.asynctype'))
    check(b'greedy\n' in lines, lines)


def print_shows_events_of_the_sources_that_have_the_fields():
    both = file('both.scap', scapfile.read(_runs('a', 'b')) + b''.join(
        b for kind, b in scapfile.blocks(scapfile.read(_recorded()[0])) if kind in scapfile.EVENTS))

    def shown(*args):
        return done(saker('print', both, '--plugin', LINES, *args)).decode().splitlines()

    equal(len(shown()), 4)
    equal(shown('--format', '%evt.num'), ['1', '2', '3', '4'])
    equal(shown('--format', '%lines.text'), ['one two', 'three'])
    equal(shown('--format', '%proc.name'), ['a', 'b'])
    equal(shown('--filter', 'lines.number = 2', '--format', '%evt.num'), ['4'])
    equal(shown('--filter', 'proc.name = b', '--format', '%evt.num'), ['2'])
    equal(shown('--filter', 'evt.num > 1', '--count'), ['3'])
    equal([json.loads(x) for x in shown('--format', '%lines.words', '--json')],
          [{'lines.words': ['one', 'two']}, {'lines.words': ['three']}])
    copied = file('copy.scap')
    done(saker('print', both, '--plugin', LINES, '--filter', 'lines.number = 1', '--write', copied))
    equal(done(saker('print', copied, '--plugin', LINES, '--format', '%lines.text')), b'one two\n')
    fails(saker('print', both, '--plugin', LINES, '--format', '%nobody.knows'), 1, 'nobody.knows')
    fails(saker('print', both, '--plugin', LINES, '--filter', 'nobody.knows = 1'), 1, 'nobody.knows')
    # Without the plugin its events are bytes.
    equal(len(done(saker('print', both)).splitlines()), 4)


def print_shows_fields_that_plugins_give_to_system_calls():
    path = _runs('a', 'b', 'a')
    equal(done(saker('print', path, '--plugin', CENSUS, '--format', '%proc.name %census.runs')), b'a 1\nb 1\na 2\n')
    equal(done(saker('print', path, '--plugin', CENSUS, '--filter', 'census.runs = 2', '--format', '%evt.num')), b'3\n')


def print_says_where_in_the_event_values_were_found():
    path, _ = _recorded(log='one two\n')
    out = done(saker('print', path, '--plugin', LINES, '--json', '--offsets', '--format',
                     '%lines.text %lines.words %lines.word[1] %lines.number %evt.num'))
    event = next(b for kind, b in scapfile.blocks(scapfile.read(path)) if kind in scapfile.EVENTS)
    record = event[scapfile.RECORD_AT[struct.unpack_from('<I', event)[0]]:]
    found = {k: [record[start:start + n] for start, n in v] for k, v in json.loads(out)['offsets'].items()}
    equal(found, {'lines.text': [b'one two'], 'lines.words': [b'one', b'two'], 'lines.word[1]': [b'two']})
    fails(saker('print', path, '--offsets'), 2, '--offsets wants --json')


def places_that_are_not_in_the_event_are_none():
    for what, places in (('offsets', {'greedy.said': [[26, 2]]}), ('offsets wild', {}), ('offsets long', {}),
                         ('offsets null', {}), ('nothing', {})):
        out = done(saker('print', _runs('a'), '--plugin', GREEDY, '--json', '--offsets', '--format', '%greedy.said',
                         env={'WRONG': what}))
        equal(json.loads(out)['offsets'], places, what)


def explain_knows_rules_on_events_of_plugins():
    path, _ = _recorded()
    rules = _rule('lines.text = three', 'x', 'lines')
    said = done(saker('explain', path, '--plugin', LINES, '--rules', rules, '--event', '1')).decode()
    check('lines.text = three' in said and 'one two' in said, said)
    said = done(saker('explain', path, '--plugin', LINES, '--rules', rules, '--rule', 'r')).decode()
    check('1  matched' in said, said)
    runs = _runs('a', 'b', 'a')
    said = done(saker('explain', runs, '--plugin', CENSUS, '--rules', _rule('evt.type = execve and census.runs = 2', 'x'),
                      '--event', '1')).decode()
    check('census.runs = 2' in said and '"1"' in said, said)


def a_record_of_nothing_is_refused():
    fails(saker('record', 'x.scap', '--disable-source', 'syscall'), 2, 'no event source is left')
    fails(saker('record', 'x.scap', '--disable-source', 'syscall', '--plugin', LINES, '--', 'true'), 2,
          'nothing that a command does would be seen')


# ---- listening, metrics, schema ----


def _replayed(what, *args, plugin=GREEDY):
    return saker('replay', _runs('a', 'b'), '--plugin', plugin, '--rules', _rule('evt.type = execve', '%proc.name'), *args,
                 env={'WRONG': what}, timeout=60)


def a_plugin_hears_that_the_stream_begins_and_sees_who_is_there():
    r = _replayed('listen iterates')
    done(r)
    check(b'greedy: 2, all\n' in r.stderr, r.stderr)


def what_plugins_count_is_among_the_counters():
    r = _replayed('', '--stats', plugin=CENSUS)
    done(r)
    lines = [x.split()[1:] for x in r.stderr.decode().splitlines()]
    for name, n in (('programs', '2'), ('runs', '2'), ('threads_at_start', '2')):
        check([n, f'plugins.census.{name}'] in lines, lines)


def metrics_that_lie_are_bounded():
    for what, n in (('metrics', 1), ('metrics null', 0), ('metrics nameless', 0), ('metrics many', 1024), ('metrics odd', 1)):
        r = _replayed(what, '--stats')
        done(r)
        equal(r.stderr.count(b'plugins.greedy.m'), n, what)


def a_plugin_that_fails_to_listen_is_told_and_the_rest_goes_on():
    for what, say in (('listen fails', "plugin 'greedy': capture_open failed: on purpose"),
                      ('close fails', "plugin 'greedy': capture_close failed: ")):
        r = _replayed(what)
        fails(r, 1, say)
        equal(len(r.stdout.splitlines()), 2, what)


def routines_run_until_they_are_ended():
    for what, say in (('routine', '0, called'), ('routine ends', '0, called'), ('routine null', '0, called'),
                      ('routine many', '16, called'), ('routine made up', '0, called'), ('routine twice', '1, '),
                      ('routine of itself', '0, called'), ('routine uses tables', '0, called')):
        r = _replayed(what)
        done(r)
        check(f'greedy: {say}'.encode() in r.stderr, what, r.stderr)


def a_routine_that_hangs_or_crashes_is_told():
    fails(_replayed('routine hangs'), 1, "plugin 'greedy' does not come back from a routine")
    r = _replayed('routine crashes')
    check(r.returncode != 0 and b"plugin 'greedy' crashed in plugin_capture_open's routine" in r.stderr, r)


def a_plugin_that_hangs_is_told_and_does_not_keep_the_program_from_ending():
    for what, function, status in (('parse hangs', 'parse_event', 1), ('init hangs', 'init', -15)):
        p = subprocess.Popen([SAKER, 'replay', _runs('a'), '--plugin', GREEDY, '--rules', _rule('evt.type = execve', 'x')],
                             stderr=subprocess.PIPE, env={**os.environ, 'WRONG': what})
        try:
            equal(p.stderr.readline(), f"saker: plugin 'greedy' does not come back from plugin_{function}\n".encode())
            p.terminate()
            equal(p.wait(timeout=60 * PATIENCE), status, what)
        finally:
            p.kill()


def plugins_must_know_the_events_of_the_kernel():
    for what, say in (('schema null', "required event schema version '3.0.0' not compatible"),
                      ('schema old', "required event schema version '3.9.9' not compatible with the event schema version in use "
                       "'4.5.1': major versions disagree"),
                      ('schema new', "'4.5.1': the minor version in use is less"),
                      ('schema text', "requires an event schema version that is none: 'four'")):
        fails(saker('run', '--print-syscalls', '--plugin', GREEDY, env={'WRONG': what}), 1, "plugin 'greedy' re", say)
        done(_replayed(what))  # a capture has the schema of whoever wrote it


def calls_that_plugins_follow_are_watched():
    out = done(saker('run', '--print-syscalls', '--plugin', CENSUS, '--rules', _rule('evt.type = openat', 'x'))).decode()
    check('execve' in out and 'openat' in out, out)


def another_configuration_can_be_given_later():
    done(saker('plugin', 'info', CENSUS, '--reconfigure', '{"every_ms":7}'))
    fails(saker('plugin', 'info', CENSUS, '--reconfigure', '{"every_ms":0}'), 1, "plugin 'census': init config: ",
          'is less than 1')
    fails(saker('plugin', 'info', GREEDY, '--reconfigure', '{}'), 1, "plugin 'greedy': it takes no other configuration")


def names_of_async_events_are_checked():
    for what, say in (('async reserved', "an async event may not be called 'saker.place'"),
                      ('async none', 'plugin_get_async_events lists no event')):
        fails(saker('list', 'plugins', '--plugin', GREEDY, env={'WRONG': what}), 1, say)


run(globals())
