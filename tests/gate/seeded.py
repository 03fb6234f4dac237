# SPDX-License-Identifier: Apache-2.0
"""Mistakes that are made in the gate on purpose: its property test finds each."""
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '../cli'))
from tap import SOURCE, TMP, check, run  # noqa: E402

BUILD = os.environ['SAKER_BUILD']
LIBRARIES = '-ldl -lz -lisal -lyaml -lre2 -ljansson -lseccomp -lbpf -lcmocka -lpthread -lstdc++'.split()

MISTAKES = {
    'a_path_with_dots_or_two_slashes_is_taken_as_it_is': ('source.c', 'path = path_absolute(c, STR_EMPTY, path)', 'path = path_squeeze(c->scratch, path)'),
    'a_relative_path_is_taken_as_it_is': ('source.c', " && ret->p[0] == '/';", ';'),
    'a_name_with_its_dots_has_none': ('source.c', 'path_squeeze(c->scratch, path)}', 'path_absolute(c, STR_EMPTY, path)}'),
    'double_slashes_of_a_name_are_kept': ('source.c', 'path_squeeze(c->scratch, path)}', 'path}'),
    'what_failed_to_open_has_a_file_name': ('source.c', 'c->m->res < 0 ? READ_NULL : READ_VALUE', 'false ? READ_NULL : READ_VALUE'),
    'an_opened_directory_is_a_file': ('source.c', 'if (opens_directory(&c->m->ev))', 'if (false)'),
    'what_was_not_opened_has_a_name_without_dots': ('source.c', 'c->m->res < 0 && !is_settled(path)', 'false'),
    'what_cannot_be_read_is_false': ('gate.c', 'enum truth t = TRUTH_UNKNOWN;', 'enum truth t = TRUTH_FALSE;'),
    'a_negation_is_lost': ('gate.c', 't != (n->negated ? TRUTH_TRUE : TRUTH_FALSE)', 't != TRUTH_FALSE'),
    'what_is_null_is_true': ('gate.c', 't = TRUTH_FALSE;\n\t\t\tbreak;\n\t\tcase READ_UNSURE', 't = TRUTH_TRUE;\n\t\t\tbreak;\n\t\tcase READ_UNSURE'),
    'an_or_becomes_an_and': ('derive.c', 'negated ? GATE_OR : GATE_AND', 'GATE_AND'),
    'what_cannot_be_decided_is_false': ('derive.c', 'add_node(d, n) : GATE_TRUE;', 'add_node(d, n) : GATE_FALSE;'),
    'verdicts_are_not_negated': ('derive.c', 'graph_and(g, refs, k) ^ negated', 'graph_and(g, refs, k)'),
    'an_and_of_which_nothing_is_left_is_false': ('derive.c', 'if (!n.n)\n\t\treturn deciding == GATE_TRUE ? GATE_FALSE : GATE_TRUE;', 'if (!n.n)\n\t\treturn GATE_FALSE;'),
    'a_condition_that_remembers_is_forgotten': ('derive.c', 'c->is_ordered ? GATE_TRUE', 'c->is_ordered ? GATE_FALSE'),
    'in_the_kernel_a_negation_is_lost': ('tables.c', '*(negated ? &ret->list[0].lack : &ret->list[0].need)', 'ret->list[0].need'),
    'in_the_kernel_unequal_is_equal': ('tables.c', 'n->negated != (n->leaf->op == OP_NE)', 'n->negated'),
    'in_the_kernel_a_dot_is_a_name': ('tables.c', '{"/./", END_ANYWHERE}', '{"/.,/", END_ANYWHERE}'),
    'in_the_kernel_a_relative_path_is_full': ('tables.c', '!(tests & GATE_IS_FULL)', 'false'),
    'in_the_kernel_what_failed_to_open_has_a_file_name': ('tables.c', 'tests &= ~t->only_opened;', ';'),
    'in_the_kernel_an_opened_directory_is_a_file': ('tables.c', 'if (flags & PPM_O_DIRECTORY || ', 'if ('),
    'in_the_kernel_a_range_is_not_turned': ('tables.c', 'op = opposite[op];', ';'),
    'in_the_kernel_a_flag_is_turned': ('tables.c', 'mask && n->negated == is_set', 'mask && n->negated != is_set'),
    'in_the_kernel_an_or_becomes_an_and': ('tables.c', 'n->kind == GATE_AND ? narrow : widen', 'narrow'),
    'in_the_kernel_terms_are_thought_free': ('tables.c', 'd->needs |= t->list[i].need;', ';'),
    'in_the_kernel_a_shorter_text_is_missed': ('automaton.c', 's->tests[i] |= back->tests[i];', ';'),
}


def _cc(*args):
    subprocess.run(['cc', '-std=gnu11', '-O0', '-w', '-D_GNU_SOURCE', f'-I{SOURCE}/src', f'-I{SOURCE}/include', *args],
                   check=True)


def _test_alone():
    """The property test as objects, compiled once."""
    objects = [f'{TMP}/gate_test.o', f'{TMP}/trial.o']
    if not os.path.exists(objects[0]):
        for source, to in zip(('gate/gate_test.c', 'filter/trial.c'), objects):
            _cc('-c', f'{SOURCE}/src/{source}', '-o', to)
    return objects


def _compile(name, sources):
    program = f'{TMP}/{name}'
    _cc(*sources, *_test_alone(), f'{BUILD}/libsaker.a', '-o', program, *LIBRARIES)
    return subprocess.run([program], capture_output=True, text=True, timeout=120)


def _mistake(name, path, before, after):
    def found():
        with open(f'{SOURCE}/src/gate/{path}') as f:
            text = f.read()
        check(text.count(before) == 1, f'{path} does not have {before!r} once')
        wrong = f'{TMP}/{name}.c'
        with open(wrong, 'w') as f:
            f.write(text.replace(before, after))
        check(_compile(name, [wrong]).returncode, 'nothing was found')
    found.__name__ = name
    return found


def without_a_mistake_nothing_is_found():
    p = _compile('right', [])
    check(p.returncode == 0, p.stdout, p.stderr)


run({'without_a_mistake_nothing_is_found': without_a_mistake_nothing_is_found,
     **{name: _mistake(name, *what) for name, what in MISTAKES.items()}})
