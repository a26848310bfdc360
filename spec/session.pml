/* cachegen: monotonic reads inside one process, near cache and tracked cells included.   (spin 6.5.2)
 *
 * WORDS  those of strict.pml, and
 *   P           the process that is looked at.  Its readers (NR) run for ever
 *   table       what P knows of the cell (tg); fed by ONE in-order connection (q), on which replies and pushes
 *               share the way
 *   near value  nv under generation nvg; servable while the table holds that one
 *   the writer (which marks), and X, who loads and fills whenever he likes, live in other processes
 *
 * STEPS
 *   near read   a servable near value is returned
 *   slow read   takes a ticket and asks the server; a cell that the table holds is not asked for, but believed
 *               only when the reply has come; is answered from the entry or loads; and COMPLETES: one critical
 *               section in front of its return.  There it publishes its value near if no other slow read of the
 *               object has completed since its ticket.  If one has, it publishes nothing and takes away what
 *               stands there, unless the store has answered it under the very generation that stands there
 *   fill        after a load, as in strict.pml
 *   mark, commit, post   as in strict.pml, one writer, nothing is written through
 *
 * PROPERTY  SES: a read of P returns no older version than a read of P had returned before it started
 *
 * SWITCHES
 *   -DNOTICKET   a slow read publishes whatever the others did
 *   -DNOKILL     a slow read that may not publish leaves what stands there
 *   -DLOCALSNAP  a cell that the table holds is taken as it stands BEFORE the server is asked
 *   -DUNMARKED   the writer does not mark: it bumps after the commit
 *   -DNR=n -DWOPS=n   readers (2), writes (2)
 *
 * LEFT OUT  shared loads: two loads under one snapshot are the harder case (a flight whose callers have left
 *   goes on loading); loss of the connection, which ends the table and all that is near (near.pml, -DDISC).
 *   NR=3 with WOPS=1 was searched once, too (171 million states, ten minutes, holds); it is not among the rows.
 */
#ifndef NR
#define NR 2
#endif
#ifndef WOPS
#define WOPS 2
#endif
#define INV 1
#define RSP 2
byte db = 0, gen = 0, last = 0, eg = 0, ev = 0;
byte floor = 0;                        /* the newest version that a reader of P has returned */
bit  pend = 0, trk = 0;
byte tg = 0, nvg = 0, nv = 0;
bit  busy[NR], moved[NR];              /* a slow read is under way; another one has completed since its ticket */
bit  want[NR], follow[NR], got[NR];   /* request under way; it reads the cell too; reply taken off the connection */
byte rg[NR], re[NR], rv[NR];          /* the reply: cell, entry */
byte snap[NR];                        /* the snapshot of a slow read */
chan q = [4] of { byte, byte, byte, byte, byte };   /* type, reader, cell, entry's generation, entry's value */

inline freshgen() { last++; gen = last }

inline answer(x) {
  if
  :: x < s -> printf("reader %d: BROKEN (SES): returns version %d, and version %d was returned before it started\n", id, x, s)
  :: else -> skip
  fi;
  assert(x <= db);
  assert(x >= s);
  if :: x > floor -> floor = x :: else -> skip fi
}
#define SERVABLE (nvg != 0 && nvg == tg)

/* snap[id] is the snapshot; stored says that the store has answered under it */
inline complete(stored) {
  if
#ifdef NOTICKET
  :: snap[id] != 0 && snap[id] == tg ->
#else
  :: snap[id] != 0 && snap[id] == tg && !moved[id] ->
#endif
       nvg = snap[id]; nv = v;
       printf("reader %d: completes, and keeps version %d near under generation %d\n", id, v, nvg)
  :: else ->
#ifdef NOKILL
       skip
#else
       if
       :: stored && nvg == snap[id] -> skip
       :: else -> nvg = 0; nv = 0
       fi;
       printf("reader %d: completes, and leaves nothing near\n", id)
#endif
  fi;
  for (j : 0 .. NR-1) { moved[j] = busy[j] }
  j = 0; moved[id] = 0; busy[id] = 0; follow[id] = 0
}

proctype Reader(byte id)
{
  byte s, v, j; bit again;
  do
  :: d_step {
       s = floor;
       if
       :: SERVABLE -> printf("reader %d: near hit: returns version %d\n", id, nv); answer(nv); s = 0
       :: else ->
            busy[id] = 1; want[id] = 1; snap[id] = tg; follow[id] = (tg == 0);
            printf("reader %d: begins, and asks the server; the table holds generation %d\n", id, tg)
       fi }
     if
     :: !busy[id] -> skip
     :: else ->
        do
        :: (got[id]);
           d_step {
             got[id] = 0; again = 0;
             if
             :: follow[id] -> snap[id] = rg[id]            /* what the server said */
             :: else ->
#ifndef LOCALSNAP
                  snap[id] = tg;                           /* the table, now that the reply has come */
                  if :: tg == 0 -> again = 1; want[id] = 1; follow[id] = 1 :: else -> skip fi
#else
                  skip
#endif
             fi;
             printf("reader %d: has the reply; its snapshot is generation %d\n", id, snap[id]);
             rg[id] = 0; if :: again -> re[id] = 0; rv[id] = 0 :: else -> follow[id] = 0 fi }
           if :: again -> again = 0 :: else -> break fi
        od;
        if
        :: snap[id] != 0 && re[id] == snap[id] ->
           d_step { v = rv[id]; re[id] = 0; rv[id] = 0; printf("reader %d: store hit: decodes version %d\n", id, v) }
           d_step { complete(1); printf("reader %d: returns version %d\n", id, v); answer(v); s = 0; v = 0; snap[id] = 0 }
        :: else ->
           d_step { re[id] = 0; rv[id] = 0; v = db; printf("reader %d: loads version %d\n", id, v) }
           d_step { complete(0); printf("reader %d: returns version %d\n", id, v); answer(v); s = 0 }
           d_step {                                                           /* fill */
             if
             :: snap[id] != 0 -> ev = v; eg = snap[id]; printf("reader %d: stores version %d under generation %d\n", id, v, eg)
             :: else -> skip
             fi;
             v = 0; snap[id] = 0 }
        fi
     fi
  od
}

/* P's connection: requests are executed in any order, replies and pushes arrive in that order */
#define SERVE(n) \
  :: d_step { want[n] && nfull(q) -> i = n; want[i] = 0; \
       if :: follow[i] && !pend && gen == 0 -> freshgen() :: else -> skip fi; \
       if :: follow[i] && !pend -> trk = 1 :: else -> skip fi; \
       q!RSP,i,(pend -> 0 : gen),eg,ev; \
       printf("server: answers reader %d: generation %d, entry of version %d under %d\n", i, (pend -> 0 : gen), ev, eg); \
       i = 0 }
proctype Server()
{
  byte i;
  do
  SERVE(0)
  SERVE(1)
#if NR > 2
  SERVE(2)
#endif
  od
}

proctype Receiver()
{
  byte a, i, g, e, v;
  do
  :: d_step { q?a,i,g,e,v ->
       if
       :: a == INV -> printf("P receives the push\n"); tg = 0; nvg = 0; nv = 0   /* what a push has ended never comes back */
       :: a == RSP -> printf("P receives the reply to reader %d\n", i); if :: follow[i] -> tg = g; rg[i] = g :: else -> skip fi; re[i] = e; rv[i] = v; got[i] = 1
       fi;
       a = 0; i = 0; g = 0; e = 0; v = 0 }
  od
}

inline push() { if :: trk -> trk = 0; q!INV,0,0,0,0; printf("server: a push is on its way\n") :: else -> skip fi }

proctype Writer()
{
  byte n;
  do
  :: n == WOPS -> break
  :: else -> n++;
#ifndef UNMARKED
     d_step { nfull(q) -> pend = 1; gen = 0; printf("writer: mark\n"); push() }
#endif
     d_step { db++; printf("writer: commits version %d\n", db) }
     d_step { nfull(q) -> pend = 0; freshgen(); printf("writer: post: generation %d\n", gen); push() }
  od
}

/* X: a load of another process */
proctype Loader()
{
  byte g, v;
  do
  :: d_step { !pend -> if :: gen == 0 -> freshgen() :: else -> skip fi; g = gen; printf("X: takes generation %d\n", gen) }
     d_step { v = db; printf("X: loads version %d\n", v) }
     d_step { ev = v; eg = g; printf("X: stores version %d under generation %d\n", ev, eg); g = 0; v = 0 }
  od
}

init {
  atomic { byte k;
    for (k : 0 .. NR-1) { run Reader(k) }
    run Server(); run Receiver(); run Writer(); run Loader();
    k = 0 }
}
