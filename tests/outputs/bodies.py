# SPDX-License-Identifier: Apache-2.0
"""Bodies of requests, held against what CloudEvents 1.0 and OTLP/HTTP say of them.

The schemas are those documents' tables as JSON Schema: CloudEvents 1.0.2 with its JSON format, and
ExportLogsServiceRequest of opentelemetry-proto 1 in its JSON mapping. Nothing else may be in them.
"""
import datetime
import json
import re

import jsonschema
from passing import Sender, is_sent
from receiver import Receiver
from tap import check, equal, run

TEXT = {'type': 'string'}
SOME_TEXT = {'type': 'string', 'minLength': 1}
U64 = {'type': 'string', 'pattern': '^[0-9]{1,20}$'}


def _message(required=(), **members):
    return {'type': 'object', 'properties': members, 'required': list(required), 'additionalProperties': False}


def _list(of):
    return {'type': 'array', 'items': of}


CLOUDEVENT = {
    'type': 'object',
    'required': ['specversion', 'id', 'source', 'type'],
    'properties': {
        'specversion': {'const': '1.0'}, 'id': SOME_TEXT, 'type': SOME_TEXT, 'subject': SOME_TEXT, 'data': {},
        'source': {'type': 'string', 'pattern': r"^[A-Za-z0-9\-._~/%:]+$"},
        'datacontenttype': {'type': 'string', 'pattern': '^[a-z]+/[a-z+.-]+$'},
        'time': {'type': 'string', 'pattern': r'^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$'}},
    # extension attributes: names, and values of the simple types
    'patternProperties': {'^(?!(specversion|id|type|subject|data|source|datacontenttype|time)$)[a-z0-9]{1,20}$':
                          {'type': ['string', 'boolean', 'integer']}},
    'additionalProperties': False}
ANY_VALUE = {'oneOf': [
    _message(['stringValue'], stringValue=TEXT), _message(['boolValue'], boolValue={'type': 'boolean'}),
    _message(['intValue'], intValue={'type': 'string', 'pattern': '^-?[0-9]{1,19}$'}),
    _message(['doubleValue'], doubleValue={'type': 'number'}),
    _message(['arrayValue'], arrayValue=_message(values=_list({'$ref': '#/$defs/value'}))),
    _message(['kvlistValue'], kvlistValue=_message(values=_list({'$ref': '#/$defs/pair'}))),
    _message(['bytesValue'], bytesValue=TEXT)]}
PAIR = _message(['key', 'value'], key=SOME_TEXT, value={'$ref': '#/$defs/value'})
ATTRIBUTES = _list({'$ref': '#/$defs/pair'})
U32 = {'type': 'integer', 'minimum': 0, 'maximum': 2**32 - 1}
LOG_RECORD = _message(
    timeUnixNano=U64, observedTimeUnixNano=U64, severityNumber={'type': 'integer', 'minimum': 0, 'maximum': 24},
    severityText=TEXT, body={'$ref': '#/$defs/value'}, attributes=ATTRIBUTES, droppedAttributesCount=U32, flags=U32,
    traceId={'type': 'string', 'pattern': '^([0-9a-fA-F]{32})?$'}, spanId={'type': 'string', 'pattern': '^([0-9a-fA-F]{16})?$'},
    eventName=TEXT)
OTLP = {'$defs': {'value': ANY_VALUE, 'pair': PAIR}, **_message(['resourceLogs'], resourceLogs=_list(_message(
    ['resource', 'scopeLogs'],
    resource=_message(attributes=ATTRIBUTES, droppedAttributesCount=U32), schemaUrl=TEXT,
    scopeLogs=_list(_message(
        ['logRecords'], scope=_message(name=TEXT, version=TEXT, attributes=ATTRIBUTES, droppedAttributesCount=U32),
        schemaUrl=TEXT, logRecords=_list(LOG_RECORD))))))}


def _received(form, n, how):
    """The requests that n alerts make."""
    config = {'http_output': {'enabled': True}, 'saker': {'http_output': {'format': form, 'batch': n}}}
    with Receiver() as r:
        config['http_output']['url'] = r.url
        with Sender('http', config) as s:
            is_sent(s.send(n, how), n)
        equal(len(r.requests), 1)
        return r.requests[0].headers['Content-Type'], json.loads(r.requests[0].body.decode())


def _is_event(event, seq, data):
    jsonschema.validate(event, CLOUDEVENT)
    when = datetime.datetime.fromisoformat(event['time'][:19] + '+00:00')
    equal(int(when.timestamp()), 1600000000)
    equal(int(event['sequence']), seq)
    equal((event['type'], event['subject'], event['eventsource']), ('saker.alert', 'A "quoted" rule', 'syscall'))
    equal(event['source'], '/saker/node-1' if seq % 8 < 6 else '/saker/n%C3%B6de%2F2')
    equal(event['data'], data)


def a_cloudevent_holds_the_alert():
    kind, event = _received('cloudevents', 1, 'json')
    check(re.match(r'application/cloudevents\+json\b', kind), kind)
    _is_event(event, 1, {'output': 'alert é 1 ', 'rule': 'r'})
    equal(event['datacontenttype'], 'application/json')


def text_is_data_of_a_cloudevent_too():
    _, event = _received('cloudevents', 1, 'text')
    _is_event(event, 1, 'alert é "1" \x01 ')
    equal(event['datacontenttype'], 'text/plain')


def many_cloudevents_are_a_batch():
    kind, events = _received('cloudevents', 20, 'json')
    check(re.match(r'application/cloudevents-batch\+json\b', kind), kind)
    equal(len(events), 20)
    for i, event in enumerate(events, 1):
        _is_event(event, i, {'output': f'alert é {i} ', 'rule': 'r'})
    equal(len({(e['source'], e['id']) for e in events}), 20)
    equal([e['sequence'] for e in events], sorted(e['sequence'] for e in events))


def _value(v):
    return [_value(x) for x in v['arrayValue']['values']] if 'arrayValue' in v else next(iter(v.values()))


def _attributes(of):
    names = [a['key'] for a in of['attributes']]
    equal(len(names), len(set(names)), 'a name twice')
    return {a['key']: _value(a['value']) for a in of['attributes']}


def otlp_has_a_log_record_for_each_alert():
    kind, body = _received('otlp', 20, 'json')
    equal(kind, 'application/json')
    jsonschema.validate(body, OTLP)
    got = [(_attributes(r['resource']), record) for r in body['resourceLogs'] for s in r['scopeLogs'] for record in s['logRecords']]
    equal([int(_attributes(x)['saker.seq']) for _, x in got], list(range(1, 21)))
    for i, (resource, record) in enumerate(got, 1):
        equal(resource, {'service.name': 'saker', 'host.name': 'node-1' if i % 8 < 6 else 'nöde/2'})
        equal(json.loads(record['body']['stringValue'])['output'], f'alert é {i} ')
        equal(int(record['timeUnixNano']), 1600000000123456789 + i)
        equal(_attributes(record), {'saker.seq': str(i), 'saker.rule': 'A "quoted" rule', 'saker.source': 'syscall',
                                    'saker.tags': ['first', 'T1059']})
    equal([x['severityNumber'] for _, x in got[:8]], [19, 18, 17, 13, 10, 9, 5, 21])
    equal([x['severityText'] for _, x in got[:3]], ['Alert', 'Critical', 'Error'])


def otlp_takes_text():
    _, body = _received('otlp', 1, 'text')
    jsonschema.validate(body, OTLP)
    equal(body['resourceLogs'][0]['scopeLogs'][0]['logRecords'][0]['body'], {'stringValue': 'alert é "1" \x01 '})


def the_schemas_find_what_is_wrong():
    for bad in ({'specversion': '1.0', 'id': '', 'source': '/x', 'type': 't'}, {'specversion': '1.0', 'id': '1', 'type': 't'},
                {'specversion': '1.0', 'id': '1', 'source': '/x', 'type': 't', 'Bad-Name': '1'}):
        check(list(jsonschema.Draft202012Validator(CLOUDEVENT).iter_errors(bad)), bad)
    for record in ({'timeUnixNano': 1}, {'body': 'text'}, {'severityNumber': 99}, {'unknown': 1}):
        bad = {'resourceLogs': [{'resource': {}, 'scopeLogs': [{'logRecords': [record]}]}]}
        check(list(jsonschema.Draft202012Validator(OTLP).iter_errors(bad)), bad)


if __name__ == '__main__':
    run(globals())
