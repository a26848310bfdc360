/* cachegen: monotonic reads inside one process, near cache and tracked cells included.   (spin 6.5.2)
 *
 * One object with one tag cell.  The server keeps {gen, pend, entry (eg, ev)}.  Process P has a table with the
 * cell's generation (tg), fed by ONE in-order connection q on which replies and pushes share the way, and a near
 * value (nv under generation nvg), servable while nvg is the table's.  P has NR readers that run for ever.  The
 * writer (marked) and one more loader X, which fills whenever it likes, live in other processes.  Loads of P do
 * not join here: two under one snapshot are the harder case (a flight whose callers have left goes on loading).
 *
 * A slow read (no near hit) takes a ticket, asks the server, answers from the entry or loads, and COMPLETES: one
 * critical section in front of its return, in which it publishes its value near if no other slow read of the
 * object has completed since its ticket; if one has, it publishes nothing and takes away what stands there,
 * unless it was answered by the store under the very generation that stands there.
 *
 * -DNOTICKET  a slow read publishes whatever the others did
 * -DNOKILL    a slow read that may not publish leaves what stands there
 * -DLOCALSNAP a cell that the table knows is taken as it stands BEFORE the server is asked
 * -DUNMARKED  the writer does not mark: it bumps after the commit
 * NR=3 with WOPS=1 was searched once, too (171 million states, ten minutes, holds); it is not among the rows.
 * Property SES: a read of P returns a version >= every version that a read of P returned before it started.
 */
#ifndef NR
#define NR 2
#endif
#ifndef WOPS
#define WOPS 2
#endif
#define INV 1
#define RSP 2
byte db = 0, gen = 0, last = 0, eg = 0, ev = 0, fl = 0;
bit  pend = 0, trk = 0;
byte tg = 0, nvg = 0, nv = 0;
bit  busy[NR], moved[NR];              /* a slow read is under way; another one has completed since its ticket */
bit  want[NR], follow[NR], got[NR];   /* request under way; it reads the cell too; reply taken off the connection */
byte rg[NR], re[NR], rv[NR];          /* the reply: cell, entry */
chan q = [4] of { byte, byte, byte, byte, byte };   /* type, reader, cell, entry's generation, entry's value */

#define FRESH last++; gen = last
#define RETURN(x) assert(x <= db); assert(x >= s); if :: x > fl -> fl = x :: else -> skip fi
#define SERVABLE (nvg != 0 && nvg == tg)

inline complete(v, publishable, stored) {
   if
#ifdef NOTICKET
   :: publishable -> nvg = snap; nv = v
#else
   :: publishable && !moved[id] -> nvg = snap; nv = v
#endif
   :: else ->
#ifndef NOKILL
        if :: stored && nvg == snap -> skip :: else -> nvg = 0; nv = 0 fi
#else
        skip
#endif
   fi;
   for (j : 0 .. NR-1) { moved[j] = busy[j] }
   j = 0; moved[id] = 0; busy[id] = 0; follow[id] = 0 }

proctype Reader(byte id)
{
  byte s, snap, v, j; bit again;
  do
  :: d_step {
       s = fl;
       if
       :: SERVABLE -> RETURN(nv); s = 0
       :: else -> busy[id] = 1; want[id] = 1; snap = tg; follow[id] = (tg == 0)
       fi }
     if
     :: !busy[id] -> skip
     :: else ->
        do
        :: (got[id]);
           d_step {
             got[id] = 0; again = 0;
             if
             :: follow[id] -> snap = rg[id]            /* what the server said */
             :: else ->
#ifndef LOCALSNAP
                  snap = tg;                           /* the table, now that the reply has come */
                  if :: tg == 0 -> again = 1; want[id] = 1; follow[id] = 1 :: else -> skip fi
#else
                  skip
#endif
             fi;
             rg[id] = 0; if :: again -> re[id] = 0; rv[id] = 0 :: else -> follow[id] = 0 fi }
           if :: again -> again = 0 :: else -> break fi
        od;
        if
        :: snap != 0 && re[id] == snap ->
           d_step { v = rv[id]; re[id] = 0; rv[id] = 0 }                      /* store hit: decode, then complete */
           d_step { complete(v, snap != 0 && snap == tg, 1); RETURN(v); s = 0; v = 0; snap = 0 }
        :: else ->
           d_step { re[id] = 0; rv[id] = 0; v = db }                          /* load */
           d_step { complete(v, snap != 0 && snap == tg, 0); RETURN(v); s = 0 }
           d_step { if :: snap != 0 -> ev = v; eg = snap :: else -> skip fi; v = 0; snap = 0 }   /* fill */
        fi
     fi
  od
}

/* P's connection: requests are executed in any order, replies and pushes arrive in that order */
proctype Server()
{
  byte i;
  do
  :: d_step { want[0] && nfull(q) -> i = 0; want[i] = 0;
       if :: follow[i] && !pend && gen == 0 -> FRESH :: else -> skip fi;
       if :: follow[i] && !pend -> trk = 1 :: else -> skip fi;
       q!RSP,i,(pend -> 0 : gen),eg,ev; i = 0 }
  :: d_step { want[1] && nfull(q) -> i = 1; want[i] = 0;
       if :: follow[i] && !pend && gen == 0 -> FRESH :: else -> skip fi;
       if :: follow[i] && !pend -> trk = 1 :: else -> skip fi;
       q!RSP,i,(pend -> 0 : gen),eg,ev; i = 0 }
#if NR > 2
  :: d_step { want[2] && nfull(q) -> i = 2; want[i] = 0;
       if :: follow[i] && !pend && gen == 0 -> FRESH :: else -> skip fi;
       if :: follow[i] && !pend -> trk = 1 :: else -> skip fi;
       q!RSP,i,(pend -> 0 : gen),eg,ev; i = 0 }
#endif
  od
}

proctype Receiver()
{
  byte a, i, g, e, v;
  do
  :: d_step { q?a,i,g,e,v ->
       if
       :: a == INV -> tg = 0; nvg = 0; nv = 0   /* what a push has ended never comes back */
       :: a == RSP -> if :: follow[i] -> tg = g; rg[i] = g :: else -> skip fi; re[i] = e; rv[i] = v; got[i] = 1
       fi;
       a = 0; i = 0; g = 0; e = 0; v = 0 }
  od
}

inline push() { if :: trk -> trk = 0; q!INV,0,0,0,0 :: else -> skip fi }

proctype Writer()
{
  byte n;
  do
  :: n == WOPS -> break
  :: else -> n++;
#ifndef UNMARKED
     d_step { nfull(q) -> pend = 1; gen = 0; push() }
#endif
     d_step { db++ }
     d_step { nfull(q) -> pend = 0; FRESH; push() }
  od
}

/* X: a load of another process */
proctype Loader()
{
  byte g, v;
  do
  :: d_step { !pend -> if :: gen == 0 -> FRESH :: else -> skip fi; g = gen }
     d_step { v = db }
     d_step { ev = v; eg = g; g = 0; v = 0 }
  od
}

init {
  atomic { byte k;
    for (k : 0 .. NR-1) { run Reader(k) }
    run Server(); run Receiver(); run Writer(); run Loader();
    k = 0 }
}
