/* strict.pml: one cached object, its tag's cell and its entry in the store; writers, readers and what
 * goes wrong around them.   (spin 6.5)
 *
 * WORDS
 *   version     the row in the database; its version is the number of commits so far (db)
 *   cell        what the store keeps for the tag: a generation (gen), or a set of markers (mk), or nothing
 *   generation  an opaque number that never repeats.  Here: the smallest one that nobody refers to, which
 *               nobody can tell from a new one and which keeps the number of states finite
 *   marker      a write in progress.  met: it has met another write since it was set (mark and post keep it
 *               as the Lua scripts do) and may not write through
 *   entry       a value (ev) and the generation it was stored under (eg); valid while the cell holds that one
 *   floor       the newest version that was returned by a read or acknowledged to a writer, so far
 *
 * STEPS  Each Redis command or script is one atomic step, so is each statement of the database; anything may
 *   happen between two steps.  Readers read for ever.
 *   read 1   the entry and the cell in one go; a missing generation is made.  Valid: return it
 *   read 2   load from the database, and return: before the fill, which is the harder case
 *   read 3   fill: store the value under the generation of read 1; nothing when read 1 found a marker
 *   mark     add our marker, destroy the generation
 *   commit   or roll back, or crash, or end with an unknown outcome: then the marker stays
 *   post     remove our marker.  If no other one stands: new generation, and the value under it if we have
 *            met nobody.  Our marker is gone: repair, that is a new generation, and who stands has met us
 *
 * PROPERTIES  every check asserts CLEAN and one of the other two
 *   LIN    (-DNOQUI) a read returns no older version than the floor was when it started
 *   QUI    (-DNOLIN) once no writer runs, no fill is under way and no marker stands, a valid entry equals the
 *          database: nothing stays stale
 *   CLEAN  what a read returns has been committed
 *
 * SWITCHES
 *   the protocol
 *   -DPROTO=0   cache-aside: delete after the commit     -DPROTO=1  no mark, new generation after the commit
 *   -DPROTO=2   mark and post, ONE marker slot           -DPROTO=3  mark and post, a SET of markers (default)
 *   -DROWLOCK   writers hold a row lock from before the mark until the commit
 *   -DNW=n -DNR=n -DWOPS=n   writers (2), readers (2), writes of one writer (1)
 *   faults, at any time
 *   -DMAXCRASH=n  writers stop at any step               -DMAXEXP=n    markers expire
 *   -DABORTS=n    transactions roll back                 -DMAXEVICT=n  the cell is lost
 *   -DMAXFLUSH=n  cell and entry are lost                -DFAILOVER=n  an asynchronous replica takes over
 *   -DAMBIG       a commit times out and is applied later, or never; the writer posts as after a failure
 *   -DLATEMARK    a mark times out, the write is given up, the marker arrives later
 *   -DDUPPOST     a post arrives a second time, arbitrarily late
 *   -DREPLICAREAD loads go to a replica of the database that lags
 *   -DCRASHMARKED only writers that mark crash
 *   defences
 *   -DWINDOW      only a load whose snapshot is older than the lag goes to the replica: it holds at least what
 *                 the database held when the generation was made.  Under a marker: the primary
 *   -DFENCE       a marker expires only when its transaction can no longer commit
 *   -DAMBIGKEEP   unknown outcome: leave the marker
 *   -DWAITREP     wait until a replica has the marker    -DTWOREP  there are two replicas, and one is waited for
 *   -DEPOCH       a generation and a marker from before a failover do not count
 *   mistakes
 *   -DBADWT       the last writer out writes through even if writers overlapped
 *   -DNOREPAIR    a post whose marker is gone does nothing
 *   -DREPAIR0     it makes a new generation, but does not tell the others that they have met it
 *   -DSNAPAFTER   the generation is taken after the load -DEARLYSET   write-through before the commit
 *   -DCTRGEN      generations are counters, which start again when the cell is lost
 *   -DSEPKEY      the marker has a key of its own, the generation survives it
 *   -DFAILOPEN    a write whose mark fails goes on, and posts
 *   a tag known only from the result of a write
 *   -DABSENTWT=i  writer i (9: each) changes such a tag: it marks nothing, and its post writes through only
 *                 where the cell does not exist; elsewhere new generation, and who stands has met it
 *   -DABSENT0     "does not exist" is: no generation and no live marker (else: nor an expired one)
 *   -DNSCELL      entries also name the generation of a second cell, seen before the commit, which a flush
 *                 takes away too
 *   -DBADABSENT   it writes through whatever it finds
 *
 * LEFT OUT  TTLs (an entry may live for ever, the worst case; a cell that is lost is -DMAXEVICT), values (a
 *   version stands for one), errors of reads, more than one tag (multi.pml), near caches (near.pml,
 *   session.pml), clocks: a lease ends whenever it likes, or with -DFENCE whenever the database lets it.
 */
#ifndef PROTO
#define PROTO 3
#endif
#ifndef NW
#define NW 2
#endif
#ifndef NR
#define NR 2
#endif
#ifndef WOPS
#define WOPS 1
#endif
#ifndef MAXCRASH
#define MAXCRASH 0
#endif
#ifndef MAXEXP
#define MAXEXP 0
#endif
#ifndef MAXEVICT
#define MAXEVICT 0
#endif
#ifndef MAXFLUSH
#define MAXFLUSH 0
#endif
#ifndef ABORTS
#define ABORTS 0
#endif
#ifndef FAILOVER
#define FAILOVER 0
#endif

/* ---- state ------------------------------------------------------------------------------------- */

byte db = 0;                    /* the database's version */
byte rdb = 0;                   /* REPLICAREAD: the version of its replica */
#ifdef WINDOW
byte gdb = 0;                   /* the database's version when the generation was made ... */
byte rgdb[NR];                  /* ... that a reader has found */
#define MADE gdb = db
#else
#define MADE skip
#endif
byte floor = 0;                 /* see WORDS */

byte gen = 0;  byte ge = 0;     /* the cell: generation, 0 for none, and the epoch it was made in */
byte mk[NW];   bit met[NW];     /* its markers, by writer, 0 for none; PROTO 2 uses mk[0] only */
byte eg = 0;   byte ev = 0;     /* the entry */
byte epoch = 0;                 /* counts failovers */
#ifdef ABSENTWT
bit  exists = 0;                /* the cell's key exists: it held something, and was not lost */
#define EXISTS(b) exists = b
#else
#define EXISTS(b) skip
#endif

typedef Replica { byte gen; byte ge; byte mk[NW]; bit met[NW]; byte eg; byte ev }
#if FAILOVER > 0
Replica r;
#ifdef TWOREP
Replica q;
#endif
#endif

bit  txopen[NW];                /* a transaction is open ... */
bit  dead[NW];                  /* ... and the database will refuse its commit */
bit  inflight[NW];              /* its commit has timed out, and may still be applied */
bit  rowlock = 0;
byte latemk[NW];                /* LATEMARK: a mark on its way; 100 when it has arrived */
byte dups = 0;                  /* DUPPOST: 1 on its way, 2 arrived */
byte crashes = 0, exps = 0, evicts = 0, flushes = 0, aborts = 0, failovers = 0;
byte writersdone = 0;
byte rg[NR];                    /* readers: the generation of read 1 */
bit  busy[NR];                  /* between read 1 and the end of read 3 */
byte nf = 0;                    /* 0 between steps */

/* ---- generations and markers ------------------------------------------------------------------- */

#if FAILOVER == 0
#define ONREPLICA 0
#elif defined(TWOREP)
#define ONREPLICA (nf == r.gen || nf == r.eg || nf == q.gen || nf == q.eg)
#else
#define ONREPLICA (nf == r.gen || nf == r.eg)
#endif
#if NR == 1
#define WITHREADER (nf == rg[0])
#elif NR == 2
#define WITHREADER (nf == rg[0] || nf == rg[1])
#else
#define WITHREADER (nf == rg[0] || nf == rg[1] || nf == rg[2])
#endif

#ifdef CTRGEN
byte ctr = 0;
inline freshgen() { ctr++; gen = ctr; ge = epoch; EXISTS(1); MADE }
#else
inline freshgen() {
  nf = 1;
  do
  :: nf == gen || nf == eg || ONREPLICA || WITHREADER -> nf++
  :: else -> break
  od;
  gen = nf; nf = 0; ge = epoch; EXISTS(1); MADE
}
#endif

#ifdef EPOCH
#define HASGEN     (gen != 0 && ge == epoch)
#define SAMEEPOCH  (me == epoch)
#else
#define HASGEN     (gen != 0)
#define SAMEEPOCH  1
#endif

#if NW == 1 || PROTO == 2
#define PENDING (mk[0] != 0)
#elif NW == 2
#define PENDING (mk[0] != 0 || mk[1] != 0)
#else
#define PENDING (mk[0] != 0 || mk[1] != 0 || mk[2] != 0)
#endif

/* the markers that stand have met somebody */
inline meet() {
  met[0] = (mk[0] != 0);
#if NW > 1
  met[1] = (mk[1] != 0);
#endif
#if NW > 2
  met[2] = (mk[2] != 0);
#endif
  skip
}
inline unmark(i) { mk[i] = 0; met[i] = 0 }

/* what a cell gets that holds no generation now: none while a marker stands */
inline renew() { if :: !(PENDING) -> freshgen() :: else -> gen = 0 fi }

inline writethrough(x) {
  eg = gen; ev = x;
  printf("writer %d: post: writes version %d through, under generation %d\n", id, x, gen)
}

inline loseCell() {
  gen = 0; ge = 0; EXISTS(0); unmark(0);
#if NW > 1
  unmark(1);
#endif
#if NW > 2
  unmark(2);
#endif
#ifdef CTRGEN
  ctr = 0;
#endif
  skip
}

/* ---- the store's replicas -------------------------------------------------------------------------- */

#if FAILOVER > 0
#ifdef TWOREP
#define MARKONREPLICA (r.mk[id] == tok || q.mk[id] == tok)
#else
#define MARKONREPLICA (r.mk[id] == tok)
#endif
inline replicate(c) {
  c.gen = gen; c.ge = ge; c.eg = eg; c.ev = ev;
  c.mk[0] = mk[0]; c.mk[NW-1] = mk[NW-1]; c.met[0] = met[0]; c.met[NW-1] = met[NW-1];
  printf("the replica catches up\n")
}
inline promote(c) {
  gen = c.gen; ge = c.ge; eg = c.eg; ev = c.ev;
  mk[0] = c.mk[0]; mk[NW-1] = c.mk[NW-1]; met[0] = c.met[0]; met[NW-1] = c.met[NW-1];
  failovers++; epoch++;
  printf("failover: the replica takes over, with generation %d, markers %d %d, entry of generation %d\n", gen, mk[0], mk[NW-1], eg)
}
inline wipe(c) {
  c.gen = 0; c.ge = 0; c.eg = 0; c.ev = 0; c.mk[0] = 0; c.mk[NW-1] = 0; c.met[0] = 0; c.met[NW-1] = 0
}
inline wipeReplicas() {
  wipe(r);
#ifdef TWOREP
  wipe(q);
#endif
  skip
}
#endif

/* ---- what is asserted of a read ------------------------------------------------------------------ */

#ifdef NOLIN
#define START s = 0
#define NOTEOLD(x) skip
#else
#define START s = floor
#define NOTEOLD(x) if :: x > floor -> floor = x :: else -> skip fi
#endif
inline answer(x) {
  if
  :: x < s -> printf("reader %d: BROKEN (LIN): returns version %d, and version %d was known before it started\n", id, x, s)
  :: x > db -> printf("reader %d: BROKEN (CLEAN): returns version %d, which was never committed\n", id, x)
  :: else -> skip
  fi;
  assert(x <= db);
  assert(x >= s);
  NOTEOLD(x)
}

/* ---- readers --------------------------------------------------------------------------------------- */

proctype Reader(byte id)
{
  byte s;                       /* the floor when this read started */
  byte v;  bit hit;
  do
  ::
#if PROTO == 0
     d_step {
       START;
       if
       :: eg != 0 ->
            printf("reader %d: read 1: finds version %d and returns it\n", id, ev);
            hit = 1; answer(ev); s = 0
       :: else ->
            printf("reader %d: read 1: finds nothing\n", id);
            hit = 0; busy[id] = 1
       fi }
     if
     :: hit -> hit = 0
     :: else ->
          d_step { v = db; printf("reader %d: read 2: loads version %d and returns it\n", id, v); answer(v); s = 0 }
          d_step { ev = v; eg = 1; printf("reader %d: read 3: stores version %d\n", id, v); v = 0; busy[id] = 0 }
     fi
#else
     d_step {
       START;
       if
       :: PENDING ->
            printf("reader %d: read 1: finds a marker\n", id);
            hit = 0; rg[id] = 0; busy[id] = 1
       :: else ->
            if :: HASGEN -> skip :: else -> freshgen() fi;
            if
            :: eg == gen ->
                 printf("reader %d: read 1: finds version %d valid under generation %d and returns it\n", id, ev, gen);
                 hit = 1; answer(ev); s = 0
            :: else ->
                 printf("reader %d: read 1: finds generation %d and no valid entry\n", id, gen);
#ifdef WINDOW
                 rgdb[id] = gdb;
#endif
                 hit = 0; rg[id] = gen; busy[id] = 1
            fi
       fi }
     if
     :: hit -> hit = 0
     :: else ->
          d_step {
#ifdef REPLICAREAD
#ifdef WINDOW
            if
            :: rg[id] == 0 || rdb < rgdb[id] -> v = db; printf("reader %d: read 2: asks the primary\n", id)
            :: rg[id] != 0 && rdb >= rgdb[id] -> v = rdb
            fi;
            rgdb[id] = 0;
            printf("reader %d: read 2: loads version %d and returns it\n", id, v);
#else
            v = rdb;
            printf("reader %d: read 2: loads version %d from the replica and returns it\n", id, v);
#endif
#else
            v = db;
            printf("reader %d: read 2: loads version %d and returns it\n", id, v);
#endif
            answer(v); s = 0 }
#ifdef SNAPAFTER
          d_step {
            if :: !(PENDING) && HASGEN -> rg[id] = gen :: else -> rg[id] = 0 fi;
            printf("reader %d: takes generation %d only now\n", id, rg[id]) };
#endif
          d_step {
            if
            :: rg[id] != 0 ->
                 printf("reader %d: read 3: stores version %d under generation %d\n", id, v, rg[id]);
                 ev = v; eg = rg[id]
            :: else -> skip
            fi;
            rg[id] = 0; v = 0; busy[id] = 0 }
     fi
#endif
  od
}

/* ---- writers --------------------------------------------------------------------------------------- */

#define TOKEN(i, n) (i * WOPS + n)

#ifndef ABSENTWT
#define ABSENT 0
#elif ABSENTWT == 9
#define ABSENT 1
#else
#define ABSENT (id == ABSENTWT)
#endif

#ifdef ABSENT0
#define NOCELL (gen == 0 && !(PENDING))
#elif defined(BADABSENT)
#define NOCELL 1
#else
#define NOCELL (exists == 0)
#endif
#ifdef NSCELL
#define SAMENS (ns == flushes)
#else
#define SAMENS 1
#endif

inline unlock() { if :: mylock -> rowlock = 0; mylock = 0 :: else -> skip fi }
inline begin()  { txopen[id] = 1; dead[id] = 0 }

#ifdef CRASHMARKED
#define MAYCRASH (crashes < MAXCRASH && !ABSENT)
#else
#define MAYCRASH (crashes < MAXCRASH)
#endif
inline crash() { crashes++; txopen[id] = 0; unlock(); printf("writer %d: crashes\n", id) }

inline mark() {
#if PROTO == 2
  mk[0] = tok;
#else
  if :: PENDING -> meet(); met[id] = 1 :: else -> met[id] = 0 fi;
  mk[id] = tok;
#endif
  me = epoch; EXISTS(1);
#ifndef SEPKEY
  gen = 0;
#endif
  printf("writer %d: mark\n", id)
}

/* our marker is gone */
inline repair() {
#ifdef NOREPAIR
  printf("writer %d: post: its marker is gone, and it does nothing\n", id)
#else
#ifndef REPAIR0
  unmark(id);                   /* ours may have come back with a failover */
  meet();
#endif
  renew();
  printf("writer %d: post: its marker is gone; repair, generation %d\n", id, gen)
#endif
}

/* remove our marker, which stands */
inline post() {
#ifdef BADWT
  mayput = ok;
#else
  mayput = (ok && !met[id]);
#endif
  unmark(id);
  if
  :: !(PENDING) ->
       freshgen();
       if
       :: mayput -> writethrough(v)
       :: else -> printf("writer %d: post: generation %d\n", id, gen)
       fi
  :: else -> printf("writer %d: post: another marker stands\n", id)
  fi;
  mayput = 0
}

/* the post of a write that could not mark, one script */
inline postabsent() {
  if
  :: ok && NOCELL && SAMENS -> freshgen(); writethrough(v)
  :: else -> meet(); renew(); printf("writer %d: post without a mark: generation %d\n", id, gen)
  fi
}

proctype Writer(byte id)
{
  byte v, n, tok;               /* version committed; which write this is; its token */
  byte me, ns;                  /* epoch at mark; flushes seen before the commit */
  bit ok, mayput;               /* committed; may write through */
  bit mylock, unknown, open;    /* holds the row lock; outcome unknown; goes on without a mark */
  do
  :: n == WOPS -> break
  :: else ->
     n++;
#ifdef ROWLOCK
     atomic { rowlock == 0 -> rowlock = 1; mylock = 1 }
#endif

     /* mark */
#if PROTO >= 2
     tok = TOKEN(id, n);
     if
     :: d_step { !ABSENT -> mark(); begin() }
#ifdef ABSENTWT
     :: d_step { ABSENT -> begin(); ns = flushes }
#endif
#ifdef LATEMARK
     :: latemk[id] == 0 ->
          d_step { latemk[id] = tok; unlock(); printf("writer %d: mark times out; gives up\n", id) }
          goto fin
#endif
#ifdef FAILOPEN
     :: d_step { open = 1; begin(); printf("writer %d: mark fails; goes on\n", id) }
#endif
     fi;
#ifdef WAITREP
     if
     :: atomic { MARKONREPLICA -> skip }
     :: atomic { (mk[id] != tok && !MARKONREPLICA) ->
          printf("writer %d: the marker was lost in a failover; rolls back\n", id);
          txopen[id] = 0; unlock(); goto fin }
     fi;
#endif
#else
     d_step { begin(); ns = flushes }
#endif
#ifdef EARLYSET
     d_step { freshgen(); eg = gen; ev = db + 1; printf("writer %d: writes version %d through\n", id, ev) }
#endif

     /* commit */
     if
     :: d_step { !dead[id] -> db++; v = db; ok = 1; txopen[id] = 0; unlock(); printf("writer %d: commits version %d\n", id, v) }
     :: d_step { dead[id] -> ok = 0; txopen[id] = 0; unlock(); printf("writer %d: the database refuses the commit\n", id) }
     :: aborts < ABORTS -> d_step { aborts++; ok = 0; txopen[id] = 0; unlock(); printf("writer %d: rolls back\n", id) }
     :: MAYCRASH -> d_step { crash() }; goto fin
#ifdef AMBIG
     :: d_step { !dead[id] -> inflight[id] = 1; unknown = 1; ok = 0; printf("writer %d: commit times out\n", id) }
#endif
     fi;
#ifdef AMBIGKEEP
     if :: unknown -> goto fin :: else -> skip fi;
#endif

     /* post, and return to the caller */
     if
     :: MAYCRASH -> d_step { crash() }; goto fin
#ifdef ABSENTWT
     :: d_step { ABSENT -> postabsent(); if :: ok -> NOTEOLD(v) :: else -> skip fi }
#endif
     :: d_step { !ABSENT ->
#if PROTO == 0
          eg = 0;
          printf("writer %d: deletes the entry\n", id);
#elif PROTO == 1
          freshgen();
          printf("writer %d: bump: generation %d\n", id, gen);
#elif PROTO == 2
          if
          :: mk[0] == tok ->
               mk[0] = 0; freshgen();
               if :: ok -> writethrough(v) :: else -> printf("writer %d: post: generation %d\n", id, gen) fi
          :: else ->
#ifdef NOREPAIR
               skip
#else
               renew();
               printf("writer %d: post: its marker is gone; generation %d\n", id, gen)
#endif
          fi;
#else
          if
          :: !open && mk[id] == tok && SAMEEPOCH -> post()
          :: else -> repair()
          fi;
#endif
          if :: ok -> NOTEOLD(v) :: else -> skip fi }
     fi;
#ifdef DUPPOST
     if :: dups == 0 -> dups = 1; run LatePost(id, tok, v, ok) :: else -> skip fi;
#endif
     d_step { v = 0; tok = 0; ok = 0; open = 0; unknown = 0; me = 0; ns = 0 }
  od;
fin:
  atomic { v = 0; tok = 0; ok = 0; open = 0; unknown = 0; n = 0; me = 0; ns = 0; writersdone++ }
}

#ifdef DUPPOST
/* a second copy of a post */
proctype LatePost(byte id; byte tok; byte v; bit ok)
{
  byte ns; bit mayput;
  d_step {
    printf("writer %d: its post arrives again\n", id);
    if
#ifdef ABSENTWT
    :: ABSENT -> postabsent()
#endif
    :: !ABSENT && mk[id] == tok -> post()
    :: else -> skip
    fi;
    dups = 2 }
}
#endif

/* ---- the environment ------------------------------------------------------------------------------- */

/* FENCE: the database has given up on the transaction when its marker expires.  With one slot nobody
   knows whose marker it is: all are given up. */
#ifndef FENCE
#define GIVEUP(i) skip
#elif PROTO == 2
#define GIVEUP(i) dead[0] = txopen[0]; dead[NW-1] = txopen[NW-1]; inflight[0] = 0; inflight[NW-1] = 0
#else
#define GIVEUP(i) dead[i] = txopen[i]; inflight[i] = 0
#endif
#define EXPIRE(i) :: exps < MAXEXP && mk[i] != 0 -> \
  d_step { exps++; unmark(i); GIVEUP(i); printf("the marker of writer %d expires\n", i) }

#define LATE(i) :: latemk[i] > 0 && latemk[i] < 100 -> \
  d_step { \
    if :: PENDING -> meet(); met[i] = 1 :: else -> met[i] = 0 fi; \
    mk[i] = latemk[i]; gen = 0; latemk[i] = 100; printf("the mark of writer %d arrives\n", i) }
#define RESOLVE(i) \
  :: inflight[i] -> d_step { inflight[i] = 0; txopen[i] = 0; rowlock = 0; db++; printf("the commit of writer %d is applied: version %d\n", i, db) } \
  :: inflight[i] -> d_step { inflight[i] = 0; txopen[i] = 0; rowlock = 0; printf("the commit of writer %d is refused\n", i) }

proctype Env()
{
  do
  EXPIRE(0)
#if NW > 1 && PROTO != 2
  EXPIRE(1)
#endif
  :: evicts < MAXEVICT -> d_step { evicts++; loseCell(); printf("the cell is evicted\n") }
  :: flushes < MAXFLUSH -> d_step { flushes++; loseCell(); eg = 0; ev = 0; printf("FLUSHALL\n") }
#if FAILOVER > 0
  :: failovers < FAILOVER -> d_step { replicate(r) }
#ifdef TWOREP
  :: failovers < FAILOVER -> d_step { replicate(q) }
  :: failovers < FAILOVER -> d_step { promote(q); wipeReplicas() }
#endif
  :: failovers < FAILOVER -> d_step { promote(r); wipeReplicas() }
#endif
#ifdef REPLICAREAD
  :: rdb < db -> rdb++
#endif
#ifdef LATEMARK
  LATE(0)
#if NW > 1 && PROTO != 2
  LATE(1)
#endif
#endif
#ifdef AMBIG
  RESOLVE(0)
#if NW > 1
  RESOLVE(1)
#endif
#endif
  od
}

/* ---- start, and what is asserted once all is quiet --------------------------------------------------- */

#define IDLE (writersdone == NW && !busy[0] && !busy[NR-1] && !inflight[0] && !inflight[NW-1] && dups != 1)
#if PROTO == 0
#define VALID (eg != 0)
#else
#define VALID (HASGEN && eg == gen)      /* a marker of a crashed writer is about to expire: HASGEN sees to it */
#endif

init {
  atomic {
    byte j;
    for (j : 0 .. NW-1) { run Writer(j) }
    for (j : 0 .. NR-1) { run Reader(j) }
    run Env();
    j = 0
  }
#ifndef NOQUI
  d_step {
    IDLE;
    if
    :: VALID && ev != db -> printf("BROKEN (QUI): all is quiet, version %d is valid, the database holds version %d\n", ev, db)
    :: else -> skip
    fi;
    assert(!VALID || ev == db)
  }
#endif
}
