/* near.pml: near caches, one in each process, in front of one tag's cell and one entry.   (spin 6.5)
 *
 * WORDS  those of strict.pml, and
 *   table       what a process knows of the cell (tg, 0 for nothing); fed by ONE in-order connection (q), on
 *               which replies and the server's pushes share the way
 *   near value  a decoded value (nv) kept in the process with the generation it was read under (nvg)
 *   near hit    a near value returned without asking: its generation is the table's
 *   push        "the cell has changed", sent to each process that has read the cell since the last push
 *
 * STEPS
 *   near read   a near hit, or else a request to the server
 *   read 1      the server answers with the cell and, when it is valid, the entry; the reply goes through the
 *               connection; the receiver puts the cell in the table and hands the reply to the reader
 *   keep        the reader keeps what the store answered, decoded, later than it has returned it
 *   read 2, 3   otherwise load, return, and fill the store.  What was loaded is not kept near: the next read
 *               fetches it (session.pml is about keeping loads, too)
 *   mark, commit, post   one writer, in process 0, one write after the other (overlaps are in strict.pml)
 *
 * PROPERTIES  one a check
 *   LIN  (-DCHKLIN) as in strict.pml, over all processes
 *   SES  (-DCHKSES) within a process: no read is older than the process' own acknowledged write, nor than an
 *        earlier read
 *   QUI  (-DCHKQUI) all done and every push delivered: a near value that would be returned equals the database
 *
 * SWITCHES
 *   -DPUSHONLY   near values are trusted until a push drops them; generations are not compared
 *   -DRESERVE    with it: a value is kept only if no push came since its request was sent
 *   -DLOCALDROP  the writer drops what its own process knows, at mark and at post
 *   -DSELFFENCE  the writer returns when a command pipelined behind its post has been answered: that reply
 *                stands behind the push which the post has caused
 *   -DSTRICTRT   no near hits: every read asks the server
 *   -DLEASE      near hits only while a ping SENT less than D ago has been answered on the connection; the
 *                writer waits D between mark and commit.  Time is counted in marks: a ping carries the number
 *                of marks when it was sent (basis), and "waited" numbers the marks that are older than D
 *   -DHITSTEPS=1 with it: a near hit takes three steps: the time is taken; the basis is compared with it;
 *                the generation is compared with the table.  =2: the last two the other way round
 *   -DREPLYTIME  with it: a ping carries the number of marks when its reply is received
 *   -DDISC=n     n times a connection dies without anybody noticing: queued pushes are lost, as is the tracking
 *   -DOBS        somebody without a near cache reads strictly all the time: he only raises the floor
 *   -DNR=n -DWOPS=n   processes with one reader each (2; process 0 is the writer's), writes (2)
 *
 * LEFT OUT  loss of cells, crashes, several writers (strict.pml); several tags (multi.pml); several readers in
 *   one process, and tables that are believed at a miss (session.pml).
 */
#ifndef NR
#define NR 2
#endif
#ifndef WOPS
#define WOPS 2
#endif
#ifndef DISC
#define DISC 0
#endif

/* what comes through a connection */
#define INV 1                   /* a push */
#define RSP 2                   /* a reply: cell, and the entry's value + 1, or 0 when it is not valid */
#define PONG 3                  /* LEASE: a reply to a ping, with its basis */
#define FEN 4                   /* SELFFENCE: the reply behind the writer's post */

/* ---- state ------------------------------------------------------------------------------------- */

byte db = 0;  byte floor = 0;
byte gen = 0;  bit pend = 0;            /* the cell: generation, marker */
byte eg = 0;  byte ev = 0;              /* the entry */
bit  trk[NR];                           /* the server will push to process i */
chan q[NR] = [5] of { byte, byte, byte, byte };   /* type, cell, value + 1, basis */
byte tg[NR], nvg[NR], nv[NR];  bit has[NR];       /* table; near value, and that there is one */
byte own[NR];                           /* SES: the floor within a process */
bit  want[NR];                          /* a request is on its way to the server */
bit  got[NR];  byte gotg[NR], gotv[NR]; /* a reply has come: cell, value + 1 */
bit  dirty[NR];                         /* RESERVE: a push has come since the request */
byte rg[NR];  bit busy[NR];             /* readers: the generation of read 1; a read is under way */
bit  writerdone = 0;
bit  fenced = 0;
byte marks = 0, waited = 0;             /* LEASE */
byte basis[NR], pg[NR];  bit pinging[NR];
byte cuts = 0;  bit gone[NR];           /* DISC */
byte qg0 = 0, qg1 = 0;                  /* the generation in a queued RSP: there is at most one a process */
byte nf = 0;                    /* 0 between steps */

#define INUSE(i) (nf == tg[i] || nf == nvg[i] || nf == rg[i] || nf == gotg[i])
inline freshgen() {
  nf = 1;
  do
  :: nf == gen || nf == eg || INUSE(0) || INUSE(NR-1) || nf == qg0 || nf == qg1 -> nf++
  :: else -> break
  od;
  gen = nf; nf = 0
}
inline queued(i, g) { if :: i == 0 -> qg0 = g :: else -> qg1 = g fi }
inline raise(a, b) { if :: b > a -> a = b :: else -> skip fi }

inline answer(x) {
  if
  :: x < s -> printf("process %d: BROKEN (LIN): returns version %d, and version %d was known before it started\n", id, x, s)
  :: x < t -> printf("process %d: BROKEN (SES): returns version %d, and knew version %d before it started\n", id, x, t)
  :: else -> skip
  fi;
  assert(x <= db);
  assert(x >= s);
  assert(x >= t);
  raise(floor, x); raise(own[id], x)
}

#ifdef LEASE
#define LEASED(i) (basis[i] >= waited)
#else
#define LEASED(i) 1
#endif
#ifdef PUSHONLY
#define ALIVE(i) has[i]
#else
#define ALIVE(i) (has[i] && tg[i] != 0 && nvg[i] == tg[i])
#endif
#define NEARHIT(i) (ALIVE(i) && LEASED(i))
#if HITSTEPS == 1
#define FIRST(i, w) (basis[i] >= w)
#define THEN(i, w) ALIVE(i)
#else
#define FIRST(i, w) ALIVE(i)
#define THEN(i, w) (basis[i] >= w)
#endif

/* the process learns that the cell has changed */
inline drop(i) {
  tg[i] = 0; dirty[i] = 1;
#ifdef PUSHONLY
  has[i] = 0; nv[i] = 0; nvg[i] = 0;
#endif
  skip
}

/* ---- readers --------------------------------------------------------------------------------------- */

inline ask() {
  want[id] = 1; busy[id] = 1; dirty[id] = 0;
  printf("process %d: asks the server\n", id)
}

proctype Reader(byte id)
{
  byte s, t, v; bit hit;
#ifdef HITSTEPS
  byte w; bit first;
#endif
  do
#ifdef HITSTEPS
  :: d_step { s = floor; w = waited; hit = 0 }
     d_step { first = FIRST(id, w) }
     d_step {
       if
       :: first && THEN(id, w) ->
            printf("process %d: near hit: returns version %d\n", id, nv[id]);
            hit = 1; v = nv[id]; answer(v); v = 0; s = 0
       :: else -> ask()
       fi;
       first = 0; w = 0
     }
#else
  :: d_step {
       hit = 0;
#ifdef CHKLIN
       s = floor;
#endif
#ifdef CHKSES
       t = own[id];
#endif
#ifdef STRICTRT
       ask()
#else
       if
       :: NEARHIT(id) ->
            printf("process %d: near hit: returns version %d\n", id, nv[id]);
            hit = 1; v = nv[id]; answer(v); v = 0; s = 0; t = 0
       :: else -> ask()
       fi
#endif
     }
#endif
     if
     :: hit -> hit = 0
     :: else ->
        (got[id]);
        d_step {
          got[id] = 0; rg[id] = gotg[id]; gotg[id] = 0;
          if
          :: gotv[id] != 0 -> v = gotv[id] - 1; hit = 1; gotv[id] = 0
          :: else -> hit = 0
          fi }
        if
        :: hit ->
           d_step { hit = 0; printf("process %d: store hit: returns version %d\n", id, v); answer(v); s = 0; t = 0 }
           d_step {
#ifdef RESERVE
             if
             :: !dirty[id] -> nv[id] = v; nvg[id] = rg[id]; has[id] = 1; printf("process %d: keeps version %d near\n", id, v)
             :: else -> skip
             fi;
#else
             nv[id] = v; nvg[id] = rg[id]; has[id] = 1;
             printf("process %d: keeps version %d near, under generation %d\n", id, v, rg[id]);
#endif
             rg[id] = 0; v = 0; dirty[id] = 0; busy[id] = 0 }
        :: else ->
           d_step { v = db; printf("process %d: loads version %d and returns it\n", id, v); answer(v); s = 0; t = 0 }
           d_step {
             if
             :: rg[id] != 0 -> ev = v; eg = rg[id]; printf("process %d: stores version %d under generation %d\n", id, v, eg)
             :: else -> skip
             fi;
             rg[id] = 0; v = 0; dirty[id] = 0; busy[id] = 0 }
        fi
     fi
  od
}

/* ---- the server, and the way back ------------------------------------------------------------------ */

proctype Server(byte id)
{
  byte b;
  do
  :: d_step { want[id] && !gone[id] && nfull(q[id]) ->
       want[id] = 0;
       if
       :: pend -> q[id]!RSP,0,0,0; printf("server: tells process %d of a marker\n", id)
       :: else ->
            if :: gen == 0 -> freshgen() :: else -> skip fi;
            trk[id] = 1; queued(id, gen);
            if :: eg == gen -> b = ev + 1 :: else -> b = 0 fi;
            q[id]!RSP,gen,b,0;
            if
            :: b > 0 -> printf("server: answers process %d: generation %d, entry of version %d\n", id, gen, ev)
            :: else -> printf("server: answers process %d: generation %d, no valid entry\n", id, gen)
            fi;
            b = 0
       fi }
     /* DISC: the dead connection still passes for alive, and requests find another one; what they bring back
        is not kept */
  :: d_step { want[id] && gone[id] && !got[id] -> want[id] = 0; got[id] = 1; gotg[id] = 0; gotv[id] = 0 }
#ifdef LEASE
  :: d_step { !pinging[id] && !gone[id] && basis[id] < marks -> pinging[id] = 1; pg[id] = marks }
  :: d_step { pinging[id] && !gone[id] && nfull(q[id]) -> pinging[id] = 0; q[id]!PONG,0,0,pg[id]; pg[id] = 0 }
#endif
  od
}

proctype Receiver(byte id)
{
  byte a, g, v, b;
  do
  :: d_step { q[id]?a,g,v,b ->
       if
       :: a == INV -> printf("process %d: receives the push\n", id); drop(id)
       :: a == RSP -> printf("process %d: receives the reply\n", id); tg[id] = g; gotg[id] = g; gotv[id] = v; got[id] = 1; queued(id, 0)
       :: a == FEN -> fenced = 1
#ifdef REPLYTIME
       :: a == PONG -> raise(basis[id], marks)
#else
       :: a == PONG -> raise(basis[id], b)
#endif
       fi;
       a = 0; g = 0; v = 0; b = 0 }
  od
}

/* ---- the writer ------------------------------------------------------------------------------------ */

inline push() {
  if :: trk[0] -> trk[0] = 0; q[0]!INV,0,0,0 :: else -> skip fi;
#if NR > 1
  if :: trk[1] -> trk[1] = 0; q[1]!INV,0,0,0 :: else -> skip fi;
#endif
  skip
}
#define ROOM (nfull(q[0]) && nfull(q[NR-1]))

proctype Writer()
{
  byte n, v, m;
  do
  :: n == WOPS -> break
  :: else -> n++;
     d_step { ROOM -> pend = 1; gen = 0; marks++; m = marks; push(); printf("writer: mark; pushes are on their way\n") }
#ifdef LOCALDROP
     d_step { drop(0) }
#endif
#ifdef LEASE
     d_step { raise(waited, m); printf("writer: has waited D\n") }
#endif
     d_step { db++; v = db; printf("writer: commits version %d\n", v) }
     d_step { ROOM -> pend = 0; freshgen(); eg = gen; ev = v; push();
              printf("writer: post: generation %d, version %d under it; pushes are on their way\n", gen, v) }
#ifdef SELFFENCE
     d_step { nfull(q[0]) -> q[0]!FEN,0,0,0 }
     d_step { fenced -> fenced = 0 }
#endif
     d_step {
#ifdef LOCALDROP
       drop(0);
#endif
       printf("writer: returns\n");
       raise(floor, v); raise(own[0], v); v = 0; m = 0 }
  od;
  writerdone = 1
}

/* ---- others ---------------------------------------------------------------------------------------- */

#ifdef OBS
proctype Observer()
{
  bit saw;
  do
  :: d_step { pend && !saw -> saw = 1 }                               /* a marker: load, a little later */
  :: d_step { saw -> saw = 0; raise(floor, db); printf("observer: loads version %d and returns it\n", db) }
  :: d_step { !pend && gen != 0 && eg == gen && ev > floor -> floor = ev; printf("observer: finds version %d valid and returns it\n", ev) }
  :: d_step { !pend && !(gen != 0 && eg == gen) && db > floor -> floor = db; printf("observer: loads version %d and returns it\n", db) }
  od
}
#endif

#if DISC > 0
proctype Cut()
{
  do
  :: cuts < DISC -> d_step {
       cuts++; gone[NR-1] = 1; trk[NR-1] = 0; pinging[NR-1] = 0; pg[NR-1] = 0; qg0 = 0; qg1 = 0;
       do :: nempty(q[NR-1]) -> q[NR-1]?_,_,_,_ :: empty(q[NR-1]) -> break od;
       printf("the connection of process %d dies, and nobody notices\n", NR-1) }
  :: cuts == DISC -> break
  od
}
#endif

#define QUIET(i) (!busy[i] && empty(q[i]) && !want[i] && !got[i])
inline checkNear(i) {
  if
  :: NEARHIT(i) && nv[i] != db -> printf("process %d: BROKEN (QUI): all is quiet, it would return version %d, the database holds version %d\n", i, nv[i], db)
  :: else -> skip
  fi;
  assert(!NEARHIT(i) || nv[i] == db)
}

init {
  atomic {
    byte j;
    for (j : 0 .. NR-1) { run Reader(j); run Server(j); run Receiver(j) }
    run Writer();
#ifdef OBS
    run Observer();
#endif
#if DISC > 0
    run Cut();
#endif
    j = 0
  }
#ifdef CHKQUI
  d_step {
    writerdone && QUIET(0) && QUIET(NR-1);
    checkNear(0);
#if NR > 1
    checkNear(1);
#endif
    skip
  }
#endif
}
