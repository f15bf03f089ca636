/** One inventory that reeve and Ansible must read alike. */
export interface Case {
  name: string;
  /** By path; a text that begins with `#!` is made executable. */
  files: Record<string, string>;
  /** What is given with `-i`; default: the first file. */
  inventory?: string[];
  patterns?: readonly string[];
  /** Folder of a playbook, with group_vars and host_vars of its own. */
  playbook?: string;
  /** Ansible lists cousins (groups below different parents) in the order of memory addresses: compare as sets. */
  anyOrder?: true;
}

const yaml = (name: string, text: string, more: Partial<Case> = {}): Case => ({
  name,
  files: { 'hosts.yml': text },
  ...more,
});
const ini = (name: string, text: string, more: Partial<Case> = {}): Case => ({ name, files: { hosts: text }, ...more });

const FLEET = `
bastion ansible_host=192.0.2.1
[web]
web[1:6]
[db]
db-[a:c]
db.example.org
[cache]
web2
web5
db-a
[eu]
web1
web3
db-b
db.example.org
[us]
web2
web4
db-a
[prod:children]
web
db
[site.a]
web6
10.0.0.1
fe80::1
`;

const FLEET_PATTERNS = [
  ...[
    'all',
    '*',
    'web',
    'db',
    'web1',
    'bastion',
    'prod',
    'ungrouped',
    'site.a',
    'db.example.org',
    '10.0.0.1',
    'fe80::1',
  ],
  ...[
    'web:db',
    'web,db',
    'db:web',
    'web2:web1',
    'web2,web1,web2',
    'web1 web3',
    'web : db',
    ' web ',
    'web,',
    ',web',
    ':web',
  ],
  ...[
    'web:&eu',
    '&eu:web',
    'web:!web1',
    '!web1:web',
    'web:&eu:!web1',
    '!web1:&eu:web',
    '&eu',
    '!eu',
    '&eu:&web',
    '!web:!db',
  ],
  ...[
    'web:db:&eu',
    'web:&eu:db',
    'all:!prod',
    'all:&cache:!us',
    'prod:!cache',
    'prod:&cache',
    'web,&eu',
    'web,!web1,&eu',
  ],
  ...[
    'web*',
    '*1',
    'w?b1',
    'web[13]',
    'web[1-3]',
    'web[!1]',
    'db-[ab]',
    'db*',
    '*.org',
    '*example*',
    'we[abc]*',
    'e*',
    'c*he',
  ],
  ...[
    'web*:!web[12]',
    '*:&eu',
    '*:!*',
    'd*:&u*',
    'web*,db*',
    'w*1,w*2',
    '10.*',
    'fe80*',
    '*[0-9]',
    '[wd]*',
    '?b*',
    'prod*',
  ],
  ...[
    '~web[12]',
    '~(web|db).*',
    '~^web',
    '~web$',
    '~.*b.*',
    '~eu|us',
    '~db-',
    '~[wd].*',
    '~.*1$',
    '~web.*:&eu',
    '~us:!web2',
    '~WEB',
    '~(?i)WEB',
  ],
  ...[
    'web[0]',
    'web[1]',
    'web[-1]',
    'web[-2]',
    'web[0:2]',
    'web[1:]',
    'web[2:2]',
    'web[3:9]',
    'web[5:]',
    'web[0:0]',
    'web[2:0]',
    'web[-6]',
  ],
  ...[
    'all[0]',
    'all[3:5]',
    'prod[0]',
    'prod[1:3]',
    'web*[0]',
    'web*[2:4]',
    '*[1]',
    '*[4:7]',
    'w*[-1]',
    'eu[0]:us[0]',
    'eu[1:]:us[0]',
  ],
  ...[
    'web[0]:db[0]',
    'web[1:2],db',
    'web:!web[0]',
    'web:!web[0:1]',
    'prod:&eu[0]',
    'prod:!cache[1:]',
    'cache[0],cache[-1]',
    'web1[0]',
  ],
  ...['web[1]:web[0]', 'ungrouped[0]', 'db.example.org[0]', 'cache:eu:us', 'us:eu', 'eu,us,cache', 'eu:us:!cache:&db'],
  ...[
    'web1:web2:web3',
    'web3:web1:&eu',
    'web6:bastion',
    'bastion:all',
    'all:!ungrouped',
    'all:&ungrouped',
    'all:!all',
    'all,!web',
  ],
  ...[
    'site.a:web6',
    'site*',
    'site.a[0]',
    'site.a[1:]',
    'site?a',
    '~site.a',
    '10.0.0.1:web1',
    'fe80::1,web1',
    '*:!~web.*',
    '*,&~web.*',
  ],
  ...[
    'we*[0]:&eu',
    'web[1-2]',
    'web[0-1]',
    '*b*:!*2*',
    'a*',
    'al?',
    'un*',
    '?ngrouped',
    'web2:!web2',
    'web2,!web2,web2',
    'prod:web:db',
  ],
  ...[
    'web[0:1]:!web[1]',
    'db[0:]:&eu',
    'db[-1]:web[-1]',
    'all[-1]',
    'all[0:]',
    'cache:!us:!eu',
    'eu:&us',
    'eu:!eu',
    'prod:&eu:&web',
  ],
] as const;

export const CORPUS: readonly Case[] = [
  ini('ini: a fleet with every kind of pattern', FLEET, { patterns: FLEET_PATTERNS }),
  ini('ini: hosts only', 'a\nb\nc.example.org\n', { patterns: ['all', 'ungrouped', 'a:b', '*[0]'] }),
  ini('ini: one host', 'lonely'),
  ini('ini: nothing but comments', '# nothing\n; here\n'),
  ini(
    'ini: comments everywhere',
    '# c\n; d\n[web] # e\n  # f\nw1 # g\nw2 x=1 # h\nw3 x=a#b\n\t; i\n[web:vars] # j\nv=1 # k\nt=text # l\n',
  ),
  ini(
    'ini: values as Python reads them',
    'h a=1 b=1.5 c=True d=true e=None f=yes g=0644 i=0x1f j="text" k=\'a b\' l=-5 m=+7 n=1e3 o=1_000 p=.5 q=5. r=00 s=0o17 t=0b11\n' +
      '[g]\nh\n[g:vars]\n' +
      'list=[1, 2, "x"]\ntuple=1,2\none=1,\ndict={"a": 1, \'b\': [True, None]}\nnested={"a": {"b": (1, 2)}}\nempty_list=[]\nempty_dict={}\n' +
      'quoted="quoted"\nsingle=\'single\'\njoined="a" "b"\nspaces =  padded value  \nequals=a=b=c\nempty=\nip=10.0.0.1\ndate=2024-01-01\nminus=3-2\n' +
      'double_minus=--5\nraw=r"a\\b"\nescaped="a\\tb\\x41\\u00e9"\ncomment=5 # five\nword_comment=five # five\nhash="a # b"\nmissing=[1, 2\nbytes=b"x"\nunicode=u"x"\n' +
      'fstring=f"x"\ntriple="""a"""\nplus=+1.5\nnegative=-2.5\nzero=0\nneg_zero=-0\nfloat_zero=0.0\nlong=123456789012\nparen=(5)\nset_one=[{"x": 1}]\nname=foo\nfunc=int("5")\nstar=*\nat=@x\njinja={{ other }}\ntrailing=[1, 2,]\n' +
      'bool_list=[true, false]\nnot_list=[a, b]\nunderscore=1__0\nsuffix=5L\npercent=50%\nversion=1.30\nmixed=1.2.3\ntilde=~\nnull=null\nyes_word=Yes\n',
  ),
  ini(
    'ini: quoting of hosts and variables',
    '"a" x="1 2" y=\'3 4\' z=a\\ b w="say \\"hi\\"" v=\'it"s\' u=""\n\'b\' x=pre"mid"post y=a\\#b z="#no comment"\n',
  ),
  ini(
    'ini: ranges',
    'web[01:03].x\nw[1:10:3]\ndb-[a:e:2]\nn[a:b][1:2]\nz[08:11]\ny[0:3]\nx[:2]\nupper-[A:C]\nmix[y:B]\n',
    {
      patterns: ['web*', 'web01.x', 'n*', 'x*', 'mix?', 'y[0]', '[xyz]*'],
    },
  ),
  ini(
    'ini: ports and addresses',
    'a:2222\n10.0.0.1:22\n[2001:db8::1]:2200\n2001:db8::2\nb[1:2]:33\n::1\n[c]:44\nfe80::[1:3]\n',
    {
      patterns: [
        '2001:db8::2',
        '2001:db8::1',
        '2001*',
        '::1',
        '10.0.0.1',
        'b1,b2',
        '2001:db8::1,2001:db8::2',
        'fe80::2',
        '!2001:db8::2',
      ],
    },
  ),
  ini('ini: aliases', 'jumper ansible_port=5555 ansible_host=192.0.2.50\nlocalhost ansible_connection=local\n', {
    patterns: ['localhost', 'jumper', 'all'],
  }),
  ini('ini: children before their groups', '[site:children]\nb\na\n[b]\nb1\n[a]\na1\n[site:vars]\nx=1\n', {
    patterns: ['site', 'site[0]', 'a:b'],
  }),
  ini('ini: children after their groups', '[a]\na1\n[b]\nb1\n[site:children]\nb\na\n', {
    patterns: ['site', 'site[0]'],
  }),
  ini('ini: vars before the group', '[web:vars]\nx=1\n[web]\nw1\n'),
  ini('ini: a section twice', '[web]\nw1 x=1\n[db]\nd1\n[web]\nw2\nw1 x=2 y=3\n', { patterns: ['web', 'all'] }),
  ini(
    'ini: deep children',
    '[a:children]\nb\n[b:children]\nc\n[c:children]\nd\n[d]\nh\n[a:vars]\nv=a\nw=a\n[b:vars]\nv=b\n[c:vars]\nv=c\nw=c\n[d:vars]\nv=d\n',
    { patterns: ['a', 'b', 'd'] },
  ),
  ini(
    'ini: a diamond',
    '[top:children]\nl\nr\n[l:children]\nbottom\n[r:children]\nbottom\n[bottom]\nh\n[top:vars]\nx=top\n[l:vars]\nx=l\n[r:vars]\nx=r\n',
  ),
  ini(
    'ini: ties go by the alphabet',
    '[b]\nh\n[a]\nh\n[c]\nh\n[a:vars]\nx=a\ny=a\n[b:vars]\nx=b\ny=b\n[c:vars]\nx=c\n',
  ),
  ini('ini: priority', '[a]\nh\n[b]\nh\n[a:vars]\nx=a\nansible_group_priority=10\n[b:vars]\nx=b\n'),
  ini(
    'ini: priority loses to depth',
    '[p:children]\nc\n[c]\nh\n[p:vars]\nx=p\nansible_group_priority=99\n[c:vars]\nx=c\n',
  ),
  ini('ini: negative priority', '[a]\nh\n[b]\nh\n[a:vars]\nx=a\n[b:vars]\nx=b\nansible_group_priority=-1\n'),
  ini(
    'ini: depth by the longest way',
    '[a:children]\nb\nd\n[b:children]\nc\n[c:children]\nd\n[d]\nh\n[e]\nh\n[c:vars]\nx=c\n[d:vars]\nx=d\n[e:vars]\nx=e\ny=e\n[b:vars]\ny=b\n',
  ),
  ini('ini: all and ungrouped', 'lone\n[all:vars]\nx=all\n[ungrouped:vars]\nx=un\n[g]\nh\n[all]\nextra\n', {
    patterns: ['all', 'ungrouped', 'all:!ungrouped'],
  }),
  ini('ini: ungrouped named, then grouped', '[ungrouped]\na\nb\n[g]\na\n', { patterns: ['ungrouped', 'g'] }),
  ini('ini: a host and a group of one name', 'web\n[web]\nother\n', { patterns: ['web', 'web:other', 'web*'] }),
  ini('ini: odd names', '[g-1]\nh_1\nh-2\n[1group]\nh.3\nh@4\nüml\n[a.b]\nx\n', {
    patterns: ['g-1', '1group', 'a.b', 'üml', 'h*', 'h.3'],
  }),
  ini('ini: white space and line ends', '  [web]  \r\n   w1   x=1  \r\n\tw2\r\n\r\n[web:vars]\r\n  y  =  2  \r\n'),
  ini('ini: empty groups', '[empty]\n[also:children]\nempty\n[full]\nh\n', { patterns: ['full', 'all'] }),
  ini('ini: with the ending .ini', '', { files: { 'hosts.ini': '[web]\nw1 x=yes\n' } }),
  ini('ini: with another ending', '', { files: { 'hosts.lst': '[web]\nw1\n' } }),
  ini('ini: a byte order mark is not one', 'a\n'),
  yaml(
    'yaml: the usual form',
    'all:\n  hosts:\n    a:\n    b: {x: 1}\n  vars:\n    v: all\n  children:\n    web:\n      hosts:\n        w1:\n        w2: {y: 2}\n      vars: {v: web}\n    db:\n      hosts: {d1: null}\n',
    {
      patterns: ['all', 'web', 'db:web', 'ungrouped', 'a', 'all[0]', '*'],
    },
  ),
  yaml('yaml: groups at the top', 'web:\n  hosts:\n    w1:\ndb:\n  hosts:\n    d1:\n  vars:\n    x: 1\n', {
    patterns: ['web', 'all'],
  }),
  yaml(
    'yaml: booleans and numbers of YAML 1.1',
    'all:\n  hosts:\n    h:\n      a: [yes, Yes, YES, no, No, NO, on, On, ON, off, Off, OFF, true, True, TRUE, false, False, FALSE]\n' +
      '      b: [y, n, Y, N, yEs, "yes", \'no\', tRue]\n      c: [0644, 0o17, 010, 08, 0x1F, 0b101, 1_000, +12, -3, 0, 00, 1__2]\n' +
      '      d: [1.5, 1e3, 1.0e+3, 1.0e3, .5, 5., -1.5, 1_0.5, 6.02E+2]\n      e: [12:30, 1:2:3, 190:20:30.15, "12:30", 0:10, 60:61, 22:22]\n' +
      '      f: [~, null, Null, NULL, nUll, "", "null"]\n      g: [2024-01-02, 2024-1-2, 2001-12-14t21:59:43.10-05:00, 2001-12-14 21:59:43, 2001-12-15T02:59:43.1Z]\n' +
      '      i: [!!str 12, !!int "7", !!str yes, !!float "1"]\n      j: [1.2.3, v1.30, 10.0.0.1, 1-2, "=", a=b]\n      empty:\n',
  ),
  yaml(
    'yaml: strings',
    'all:\n  hosts:\n    h:\n      a: |\n        two\n        lines\n      b: >\n        folded\n        text\n      c: "esc\\t\\u00e9"\n      d: \'it\'\'s\'\n      e: plain text  # comment\n      f: >-\n        no end\n      g: {flow: [a, b], "q": 1}\n',
  ),
  yaml(
    'yaml: anchors and merge keys',
    'all:\n  vars:\n    base: &b {x: 1, y: 2}\n    derived:\n      <<: *b\n      y: 3\n    list: [*b, *b]\n  hosts:\n    h: *b\n',
  ),
  yaml('yaml: a key twice', 'all:\n  hosts:\n    h: {x: 1, x: 2}\n  vars: {a: 1}\n'),
  yaml(
    'yaml: ranges and ports',
    'all:\n  hosts:\n    "w[1:3]": {x: 1}\n    "p:2222":\n    "[2001:db8::1]:22":\n    "n[a:c]:33":\n    10.0.0.[1:2]:\n',
    { patterns: ['w*', 'w[1:2]', '2001:db8::1', '10.0.0.1'] },
  ),
  yaml('yaml: a port counts only at first', 'a:\n  hosts:\n    h:2222:\nb:\n  hosts:\n    h:3333:\n      x: 1\n'),
  yaml(
    'yaml: priority',
    'a:\n  hosts: {h: null}\n  vars: {x: a, ansible_group_priority: 5}\nb:\n  hosts: {h: null}\n  vars: {x: b}\n',
  ),
  yaml(
    'yaml: priority as text',
    'a:\n  hosts: {h: null}\n  vars: {x: a, ansible_group_priority: "5"}\nb:\n  hosts: {h: null}\n  vars: {x: b}\n',
  ),
  yaml('yaml: names instead of mappings', 'web:\n  hosts: w1\n  children: sub\nsub:\n  hosts: s1\n'),
  yaml(
    'yaml: what Ansible leaves out',
    'web:\n  hosts: {w1: null}\n  hostz: {w2: null}\n  note: text\nother: text\nempty:\n',
  ),
  yaml(
    'yaml: the same group in two places',
    'all:\n  children:\n    a: {children: {c: {hosts: {h: null}}}}\n    b: {children: {c: {vars: {x: 1}}}}\n',
    { patterns: ['a', 'b', 'c'] },
  ),
  yaml(
    'yaml: deep and wide',
    'all:\n  children:\n    eu:\n      children:\n        eu1: {hosts: {e1: null, e2: null}, vars: {z: eu1}}\n        eu2: {hosts: {e3: null}}\n      vars: {z: eu, y: eu}\n    us:\n      children:\n        us1: {hosts: {u1: null, e2: null}, vars: {z: us1}}\n',
    {
      anyOrder: true,
      patterns: ['eu', 'us', 'eu:us', 'eu:&us', 'eu1[0]', '~e[12]$'],
    },
  ),
  yaml(
    'yaml: Jinja stays as it is',
    'all:\n  vars:\n    a: "{{ b }}"\n    b: "x{{ c | default(1) }}"\n    c: "{% if x %}y{% endif %}"\n  hosts: {h: {ansible_host: "{{ a }}"}}\n',
  ),
  yaml(
    'yaml: vaulted and unsafe values',
    'all:\n  hosts:\n    h:\n      plain: 1\n      secret: !vault |\n        $ANSIBLE_VAULT;1.1;AES256\n        3132\n      unsafe: !unsafe "{{ x }}"\n',
  ),
  yaml(
    'yaml: variables with the names of Ansible',
    'all:\n  hosts:\n    h: {groups: 1, group_names: 2, inventory_hostname: 3, omit: 4, playbook_dir: 5, ansible_facts: 6, keep: 7}\n',
  ),
  yaml(
    'yaml: all has hosts and groups',
    'all:\n  hosts: {a: null, b: null}\n  children: {g: {hosts: {b: null, c: null}}}\n',
    { patterns: ['all', 'ungrouped', 'all[0]', 'all[-1]', 'g[0]', '*[1]'] },
  ),
  yaml('yaml: ungrouped written out', 'ungrouped:\n  hosts: {a: null}\nweb:\n  hosts: {w: null}\n', {
    patterns: ['ungrouped', 'all'],
  }),
  yaml('yaml: odd keys', 'all:\n  hosts:\n    "h 1": {"a b": 1, "c-d": 2}\n    üml: {é: 1}\n', {
    patterns: ['üml', 'all'],
  }),
  yaml('yaml: without an ending', '', { files: { hosts: '---\nall:\n  hosts:\n    h: {x: yes}\n' } }),
  yaml('yaml: JSON', '', {
    files: {
      'hosts.json': '{"web": {"hosts": {"w1": {"x": 1e3, "y": "yes", "z": [true, null]}}, "vars": {"v": 1.5}}}',
    },
  }),
  yaml('yaml: JSON in a .yml', '', { files: { 'hosts.yml': '{"web": {"hosts": {"w1": {"port": "0022", "n": 12}}}}' } }),
  {
    name: 'group_vars and host_vars beside the inventory',
    files: {
      hosts:
        '[web]\nw1 a=inline\nw2\n[site:children]\nweb\n[web:vars]\na=webinline\nb=webinline\nc=webinline\n[all:vars]\nd=allinline\n',
      'group_vars/all.yml': 'a: all\nb: all\nd: all\ne: all\n',
      'group_vars/web.yml': 'b: web\nf: yes\n',
      'group_vars/site': 'g: 010\nf: no\n',
      'host_vars/w1.yaml': 'b: w1\n',
      'host_vars/w2.json': '{"b": "w2", "h": 1e2}',
    },
  },
  {
    name: 'group_vars as folders',
    files: {
      hosts: '[web]\nw1\n',
      'group_vars/web/a.yml': 'x: a\ny: a\n',
      'group_vars/web/b.yaml': 'x: b\n',
      'group_vars/web/c': 'z: c\n',
      'group_vars/web/d.txt': 'x: ignored\n',
      'group_vars/web/.hidden.yml': 'x: hidden\n',
      'group_vars/web/e.yml~': 'x: backup\n',
      'group_vars/web/sub/f.yml': 'w: f\n',
      'group_vars/web/sub.d/g.yml': 'x: dotted folder\n',
      'host_vars/w1/x.json': '{"q": 1}',
    },
  },
  {
    name: 'group_vars: the folder hides the file',
    files: { hosts: '[web]\nw1\n', 'group_vars/web/a.yml': 'x: folder\n', 'group_vars/web.yml': 'x: file\ny: 1\n' },
  },
  {
    name: 'group_vars: .yml before .yaml',
    files: { hosts: '[web]\nw1\n', 'group_vars/web.yml': 'x: yml\n', 'group_vars/web.yaml': 'x: yaml\n' },
  },
  {
    name: 'group_vars: an empty file',
    files: {
      hosts: '[web]\nw1\n',
      'group_vars/web.yml': '',
      'group_vars/all.yml': '# nothing\n',
      'host_vars/w1.yml': '---\n',
    },
  },
  {
    name: 'group_vars with ties and depth',
    files: {
      hosts: '[a]\nh\n[b]\nh\n[p:children]\na\n',
      'group_vars/a.yml': 'x: a\ny: a\n',
      'group_vars/b.yml': 'x: b\n',
      'group_vars/p.yml': 'x: p\ny: p\nz: p\n',
      'group_vars/ungrouped.yml': 'x: u\n',
    },
  },
  {
    name: 'group_vars of all beat inline variables of groups',
    files: { hosts: '[g]\nh\n[g:vars]\nx=inline\n', 'group_vars/all.yml': 'x: all file\n' },
  },
  {
    name: 'priority in group_vars is only a variable',
    files: {
      hosts: '[a]\nh\n[b]\nh\n',
      'group_vars/a.yml': 'x: a\nansible_group_priority: 10\n',
      'group_vars/b.yml': 'x: b\n',
    },
  },
  {
    name: 'a directory of mixed sources',
    files: {
      'inv/01-hosts': '[web]\nw1 x=ini\nw2\n',
      'inv/02.yml': 'web:\n  hosts: {w1: {x: yaml}, w3: null}\n  vars: {v: yaml}\n',
      'inv/03.json': '{"db": {"hosts": {"d1": {}}}}',
      'inv/ignored.ini': '[bad]\nx\n',
      'inv/ignored.cfg': 'x\n',
      'inv/README.md': 'text\n',
      'inv/old.orig': 'x\n',
      'inv/.hidden': 'x\n',
      'inv/zz~': 'x\n',
      'inv/group_vars/web.yml': 'g: web\n',
      'inv/host_vars/w2.yml': 'h: w2\n',
    },
    inventory: ['inv'],
    patterns: ['web', 'all', 'db', 'web[0]'],
  },
  {
    name: 'directories in directories',
    files: {
      'inv/a/hosts': '[web]\nw1\n',
      'inv/b/c/hosts.yml': 'web: {hosts: {w2: null}}\n',
      'inv/a/group_vars/web.yml': 'x: not read\n',
      'inv/group_vars/web.yml': 'x: read\n',
    },
    inventory: ['inv'],
  },
  {
    name: 'several -i, each with its group_vars',
    files: {
      'one/hosts': '[web]\nw1 x=one\n[web:vars]\nv=one\n',
      'one/group_vars/web.yml': 'g: one\nonly: one\n',
      'one/group_vars/all.yml': 'g: all one\n',
      'two/hosts': '[web]\nw2\nw1 x=two\n[web:vars]\nv=two\n',
      'two/group_vars/web.yml': 'g: two\n',
      'two/group_vars/all.yml': 'g: all two\nlast: two\n',
      'two/host_vars/w1.yml': 'g: host two\n',
    },
    inventory: ['one/hosts', 'two/hosts'],
    patterns: ['web', 'all'],
  },
  {
    name: 'several -i in the other order',
    files: { 'one/hosts': '[web]\nw1 x=one\n', 'two/hosts': '[web]\nw2\nw1 x=two\n' },
    inventory: ['two/hosts', 'one/hosts'],
  },
  {
    name: 'children across sources',
    files: { a: '[web]\nw1\n', b: '[site:children]\nweb\n[site:vars]\nx=1\n' },
    inventory: ['a', 'b'],
  },
  {
    name: 'group_vars and host_vars beside the playbook',
    files: {
      'inv/hosts': '[web]\nw1 a=inline\nw2\n[web:vars]\nb=inline\n',
      'inv/group_vars/all.yml': 'c: inventory all\nd: inventory all\ne: inventory all\n',
      'inv/group_vars/web.yml': 'd: inventory web\nf: inventory web\n',
      'inv/host_vars/w1.yml': 'g: inventory host\nh: inventory host\n',
      'play/group_vars/all.yml': 'c: play all\nd: play all\n',
      'play/group_vars/web.yml': 'f: play web\nyes_no: yes\n',
      'play/host_vars/w1.yml': 'a: play host\ng: play host\n',
    },
    inventory: ['inv/hosts'],
    playbook: 'play',
  },
  {
    name: 'a list of hosts',
    files: { note: '' },
    inventory: ['b,a,c.example.org,'],
    patterns: ['all', 'a:b', 'all[0]'],
  },
  {
    name: 'a list of hosts with ports',
    files: { note: '' },
    inventory: ['a:2222,10.0.0.1,[2001:db8::1]:22,'],
    patterns: ['all', 'a'],
  },
  {
    name: 'a list and a file',
    files: { hosts: '[web]\nw1\n', 'group_vars/all.yml': 'x: 1\n' },
    inventory: ['a,', 'hosts'],
  },
  {
    name: 'an executable with _meta',
    files: {
      'inv.sh':
        '#!/bin/sh\ncat <<END\n{"web": {"hosts": ["w1", "w2"], "vars": {"v": 1}}, "db": ["d1"], "site": {"children": ["web", "db"]}, "_meta": {"hostvars": {"w1": {"x": [1, true, null]}, "nobody": {"y": 1}}}}\nEND\n',
    },
    patterns: ['web', 'site', 'all', 'db[0]'],
  },
  {
    name: 'an executable that is asked for each host',
    files: {
      'inv.sh':
        '#!/bin/sh\nif [ "$1" = --list ]; then echo \'{"web": {"hosts": ["w1", "w2"]}}\'; else echo "{\\"name\\": \\"$2\\"}"; fi\n',
    },
  },
  {
    name: 'an executable in the short form',
    files: { 'inv.sh': '#!/bin/sh\necho \'{"h1": {"x": 1}, "web": ["a", "b"], "_meta": {"hostvars": {}}}\'\n' },
  },
  {
    name: 'an executable beside group_vars',
    files: {
      'inv.sh':
        '#!/bin/sh\necho \'{"web": {"hosts": ["a"], "vars": {"x": "script", "y": "script"}}, "_meta": {"hostvars": {"a": {"y": "host"}}}}\'\n',
      'group_vars/web.yml': 'x: file\ny: file\n',
    },
  },
  {
    name: 'a directory with an executable',
    files: {
      'inv/a.sh': '#!/bin/sh\necho \'{"web": {"hosts": ["a"]}, "_meta": {"hostvars": {"a": {"x": 1}}}}\'\n',
      'inv/b': '[web]\nb\n[db:children]\nweb\n',
    },
    inventory: ['inv'],
  },
  ini(
    'the example of a k3s cluster',
    '[server]\n192.168.1.10\n\n[agent]\n192.168.1.[11:13]\n\n[k3s_cluster:children]\nserver\nagent\n\n[k3s_cluster:vars]\nansible_user=ubuntu\nk3s_version=v1.30.2+k3s1\nextra_server_args="--disable traefik"\ntoken="changeme!"\n',
    {
      patterns: ['k3s_cluster', 'server', 'agent[0]', 'agent[1:]', 'k3s_cluster:!server', '192.168.1.1*'],
    },
  ),
];
