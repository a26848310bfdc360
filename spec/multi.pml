/* multi.pml: one entry that depends on TWO tags, whose cells live on different nodes; and loads that two
 * readers of one process share.   (spin 6.5)
 *
 * WORDS  those of strict.pml.  The object is, say, a list: cell A belongs to one of its tags, cell B to the
 *   other.  Whatever touches A or B, or the entry, is a step of its own: nothing holds for both at once.
 *
 * STEPS
 *   read 1    entry, cell A, cell B, one after the other.  Valid: no marker, and the entry names both
 *             generations.  -DENTRYLAST: the entry comes last
 *   read 2    load.  -DFLIGHT: reader 1 may join the load of reader 0 instead of loading itself
 *   read 3    fill, under both generations; nothing after a marker or a joined load
 *   mark, commit, post   writer 0 is a transaction that touches both tags: mark A, mark B, commit, post A,
 *             post B.  Writer 1 touches B only.  A post gives a new generation, nothing is written through
 *             (strict.pml does that)
 *
 * PROPERTIES  LIN (-DNOQUI) and QUI (-DNOLIN), as in strict.pml
 *
 * SWITCHES
 *   -DMAXCRASH=n -DMAXEXP=n -DFENCE   as in strict.pml; a crash may fall between two marks or two posts
 *   -DFLIGHT    two readers share a process: reader 1 joins a load of reader 0 that it finds under way
 *   -DFLIGHTCHK it joins only if both have seen the same generations in read 1
 *
 * LEFT OUT  as in strict.pml; row tags known only from the result, which are more cells of the same kind.
 */
#ifndef NW
#define NW 2
#endif
#ifndef MAXCRASH
#define MAXCRASH 0
#endif
#ifndef MAXEXP
#define MAXEXP 0
#endif

/* ---- state ------------------------------------------------------------------------------------- */

byte db = 0;  byte floor = 0;
byte gena = 0, genb = 0;                /* the cells: generations ... */
bit  mka[NW], mkb[NW];                  /* ... and markers, by writer */
byte ea = 0, eb = 0, ev = 0;            /* the entry: the generations it names, its value */
byte ra[2], rb[2];                      /* readers, read 1: what was seen in A and B */
byte la[2], lb[2];                      /*                  what the entry that was read names */
bit  busy[2];
bit  txopen[NW], dead[NW];
byte crashes = 0, exps = 0, writersdone = 0;
bit  flying = 0;                        /* reader 0 loads; others may join */
byte fa = 0, fb = 0;                    /* what it has seen, 0 after a marker */
bit  joined = 0, landed = 0;  byte fv = 0;   /* reader 1 has joined; the load has ended, with this value */
byte nf = 0;                    /* 0 between steps */

#define PENDA (mka[0] || mka[NW-1])
#define PENDB (mkb[0] || mkb[NW-1])
inline fresha() {
  nf = 1;
  do
  :: nf == gena || nf == ea || nf == ra[0] || nf == ra[1] || nf == la[0] || nf == la[1] || nf == fa -> nf++
  :: else -> break
  od;
  gena = nf; nf = 0
}
inline freshb() {
  nf = 1;
  do
  :: nf == genb || nf == eb || nf == rb[0] || nf == rb[1] || nf == lb[0] || nf == lb[1] || nf == fb -> nf++
  :: else -> break
  od;
  genb = nf; nf = 0
}
inline renewa() { if :: !PENDA -> fresha() :: else -> gena = 0 fi }
inline renewb() { if :: !PENDB -> freshb() :: else -> genb = 0 fi }

inline answer(x) {
#ifndef NOLIN
  if
  :: x < s -> printf("reader %d: BROKEN (LIN): returns version %d, and version %d was known before it started\n", id, x, s)
  :: else -> skip
  fi;
  assert(x >= s);
  if :: x > floor -> floor = x :: else -> skip fi;
#endif
  assert(x <= db);
  s = 0
}

/* ---- readers --------------------------------------------------------------------------------------- */

inline readEntry() { la[id] = ea; lb[id] = eb; v = ev; printf("reader %d: read 1: entry of version %d under A %d, B %d\n", id, ev, ea, eb) }

#ifdef FLIGHTCHK
#define MAYJOIN (id == 1 && flying && !bad && ra[1] == fa && rb[1] == fb)
#else
#define MAYJOIN (id == 1 && flying)
#endif

proctype Reader(byte id)
{
  byte s, v;
  bit bad, hit;                 /* saw a marker; the entry is valid */
  do
  :: d_step {
       busy[id] = 1; bad = 0; hit = 0;
#ifndef NOLIN
       s = floor;
#endif
#ifndef ENTRYLAST
       readEntry()
#endif
     }
     d_step {
       if
       :: PENDA -> bad = 1; printf("reader %d: read 1: a marker in A\n", id)
       :: else ->
            if :: gena == 0 -> fresha() :: else -> skip fi;
            ra[id] = gena; printf("reader %d: read 1: A is %d\n", id, gena)
       fi }
     d_step {
       if
       :: PENDB -> bad = 1; printf("reader %d: read 1: a marker in B\n", id)
       :: else ->
            if :: genb == 0 -> freshb() :: else -> skip fi;
            rb[id] = genb; printf("reader %d: read 1: B is %d\n", id, genb)
       fi }
#ifdef ENTRYLAST
     d_step { readEntry() }
#endif
     d_step {
       if
       :: !bad && la[id] != 0 && la[id] == ra[id] && lb[id] == rb[id] ->
            hit = 1; printf("reader %d: the entry is valid: returns version %d\n", id, v); answer(v)
       :: else -> hit = 0
       fi;
       la[id] = 0; lb[id] = 0; v = 0 }
     if
     :: hit -> skip
     :: else ->
#ifdef FLIGHT
        if
        :: d_step { MAYJOIN -> joined = 1; printf("reader %d: joins the load of reader 0\n", id) }
           d_step { landed ->
             landed = 0; v = fv; fv = 0; bad = 1;
             printf("reader %d: returns version %d, which reader 0 has loaded\n", id, v); answer(v) }
        :: else ->
           d_step {
             if
             :: id == 0 -> flying = 1; fa = (bad -> 0 : ra[0]); fb = (bad -> 0 : rb[0])
             :: else -> skip
             fi;
             printf("reader %d: starts to load\n", id) }
           d_step { v = db; printf("reader %d: the database answers with version %d\n", id, v) }
           d_step {
             printf("reader %d: returns version %d\n", id, v); answer(v);
             if
             :: id == 0 ->
                  flying = 0; fa = 0; fb = 0;
                  if :: joined -> joined = 0; landed = 1; fv = v :: else -> skip fi
             :: else -> skip
             fi }
        fi;
#else
        d_step { v = db; printf("reader %d: read 2: loads version %d and returns it\n", id, v); answer(v) }
#endif
        d_step {
          if
          :: !bad ->
               ea = ra[id]; eb = rb[id]; ev = v;
               printf("reader %d: read 3: stores version %d under A %d, B %d\n", id, v, ea, eb)
          :: else -> skip
          fi }
     fi;
     d_step { ra[id] = 0; rb[id] = 0; v = 0; bad = 0; hit = 0; busy[id] = 0 }
  od
}

/* ---- writers --------------------------------------------------------------------------------------- */

#define TOUCHESA (id == 0)
#define MAYCRASH :: crashes < MAXCRASH -> d_step { crashes++; txopen[id] = 0; printf("writer %d: crashes\n", id) }; goto fin

proctype Writer(byte id)
{
  byte v; bit ok;
  /* mark */
  d_step {
    txopen[id] = 1;
    if
    :: TOUCHESA -> mka[id] = 1; gena = 0; printf("writer %d: marks A\n", id)
    :: else -> skip
    fi }
  if
  :: d_step { mkb[id] = 1; genb = 0; printf("writer %d: marks B\n", id) }
  MAYCRASH
  fi;
  /* commit */
  if
  :: d_step { dead[id] -> ok = 0; txopen[id] = 0; printf("writer %d: the database refuses the commit\n", id) }
  :: d_step { !dead[id] -> db++; v = db; ok = 1; txopen[id] = 0; printf("writer %d: commits version %d\n", id, v) }
  MAYCRASH
  fi;
  /* post; a marker that is gone is repaired by the same step */
  if
  :: d_step {
       if
       :: TOUCHESA -> mka[id] = 0; renewa(); printf("writer %d: posts A: generation %d\n", id, gena)
       :: else -> skip
       fi }
  MAYCRASH
  fi;
  if
  :: d_step {
       mkb[id] = 0; renewb(); printf("writer %d: posts B: generation %d; returns\n", id, genb);
       if :: ok && v > floor -> floor = v :: else -> skip fi }
  MAYCRASH
  fi;
fin:
  atomic { v = 0; ok = 0; writersdone++ }
}

/* ---- the environment ------------------------------------------------------------------------------- */

#ifdef FENCE
#define GIVEUP(i) dead[i] = txopen[i]
#else
#define GIVEUP(i) skip
#endif
#define EXPIRE(m, name, i) :: exps < MAXEXP && m[i] -> d_step { exps++; m[i] = 0; GIVEUP(i); printf("the marker of writer %d in %c expires\n", i, name) }

proctype Env()
{
  do
  EXPIRE(mka, 'A', 0)
  EXPIRE(mkb, 'B', 0)
  EXPIRE(mkb, 'B', 1)
  od
}

init {
  atomic {
    byte j;
    for (j : 0 .. NW-1) { run Writer(j) }
    run Reader(0);
    run Reader(1);
    run Env();
    j = 0
  }
#ifndef NOQUI
  d_step {
    writersdone == NW && !busy[0] && !busy[1];
    if
    :: gena != 0 && genb != 0 && ea == gena && eb == genb && ev != db ->
         printf("BROKEN (QUI): all is quiet, version %d is valid, the database holds version %d\n", ev, db)
    :: else -> skip
    fi;
    assert(!(gena != 0 && genb != 0 && ea == gena && eb == genb) || ev == db)
  }
#endif
}
