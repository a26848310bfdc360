/* cachegen: strict write + read-miss protocol over one cached object.   (spin 6.5.2)
 *
 * One cached object = one register whose version is "number of commits that changed it" (db).
 * Every Redis command / Lua script is one atomic step; every DB statement is one atomic step;
 * anything may happen between two steps.  Readers run FOR EVER (unbounded number of reads);
 * the state space is finite because generation ids are recycled once nothing refers to them.
 *
 * Properties
 *  LIN   per-object linearizability: a read returns a version >= every version that was returned by,
 *        or acknowledged to, an operation that COMPLETED before the read started (ghost "fl").
 *        A read is taken to return at its load, before its (asynchronous) fill; an op is taken to
 *        start right before its first step: both are the hardest case.
 *  CLEAN no dirty read: a returned version is committed (v <= db).
 *  QUI   quiescence: when no writer runs, no fill is in flight and no marker stands, an entry that
 *        validates equals the database (nothing stays stale until its TTL).
 *
 * -DPROTO=0  cache-aside, DEL after commit          -DPROTO=1  generation snapshot, bump after commit
 * -DPROTO=2  strict, ONE marker slot per object     -DPROTO=3  strict, SET of markers per object
 * -DROWLOCK  writers hold a DB row lock from before the marker until COMMIT ("late marker")
 * -DMAXCRASH=n  writers that stop at any step       -DMAXEXP=n  markers that expire at any time
 * -DFENCE    a marker expires only once its transaction can no longer commit (DB-side timeout)
 * -DNOREPAIR post step does nothing if its marker is gone; -DREPAIR0 repair that forgets to spoil write-through
 * -DBADWT    last writer out writes through even if writers overlapped
 * -DMAXEVICT=n gen+marker cell lost at any time     -DMAXFLUSH=n FLUSHALL at any time
 * -DCTRGEN   generations are INCR counters that restart when the cell is lost
 * -DSNAPAFTER generation taken after the load       -DEARLYSET write-through before COMMIT
 * -DABORTS=n transactions that roll back            -DREPLICAREAD loads go to a lagging DB replica
 * -DAMBIG    COMMIT may time out at the client and be applied later; -DAMBIGKEEP then leave the marker alone
 * -DFAILOVER=n Redis fails over to an async replica; -DWAITREP marker is WAITed for; -DEPOCH epoch in validity
 * -DTWOREP   two replicas, WAIT 1, the other one may be promoted
 * -DDUPPOST  the post step may be delivered again, arbitrarily late
 * -DLATEMARK the mark step may time out: the writer gives up, the marker arrives later
 * -DSEPKEY   marker in a key of its own, generation survives it
 * -DFAILOPEN if the mark step fails the writer commits anyway and bumps afterwards
 * -DABSENTWT=i writer i (i = 9: every writer) changes something whose tag is known only from its result: it marks nothing, and its
 *            post writes through only where the cell does not exist; elsewhere it gives a new generation and spoils the
 *            write-through of the writers whose markers stand.  The other writers stay as PROTO says.
 * -DABSENT0  "does not exist" is read as "no generation and no live marker" (expired markers do not count)
 * -DNSCELL   entries also name the generation of a second cell, seen before the COMMIT, which FLUSHALL takes away too
 * -DCRASHMARKED only writers that mark crash
 * -DBADABSENT it writes through whatever it finds
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

byte db = 0;  byte rdb = 0;  byte fl = 0;
/* redis primary: per-object cell {gen, markers, last} and entry {eg, ev} */
byte gen = 0; byte ge = 0; byte mk[NW]; byte last = 0; byte eg = 0; byte ev = 0; byte epoch = 0;
#if FAILOVER > 0
byte r_gen = 0; byte r_ge = 0; byte r_mk[NW]; byte r_last = 0; byte r_eg = 0; byte r_ev = 0;
#ifdef TWOREP
byte q_gen = 0; byte q_ge = 0; byte q_mk[NW]; byte q_last = 0; byte q_eg = 0; byte q_ev = 0;
#endif
#endif
byte crashes = 0, exps = 0, evs = 0, fls = 0, abts = 0, fos = 0, dups = 0;
bit  txopen[NW]; bit dead[NW]; bit inflight[NW]; bit rowlock = 0;
byte latemk[NW];
bit ex = 0;                          /* the cell's key exists: it held a generation or markers and was not lost */
byte wdone = 0; byte rg[NR]; bit busy[NR];
hidden byte nf;

#ifdef TWOREP
#define QMK (q_mk[id] == tok)
#else
#define QMK 0
#endif
#if FAILOVER > 0
#ifdef TWOREP
#define RID (nf == r_gen || nf == r_eg || nf == q_gen || nf == q_eg)
#else
#define RID (nf == r_gen || nf == r_eg)
#endif
#else
#define RID 0
#endif
#define R0 (nf == rg[0])
#if NR > 1
#define R1 (nf == rg[1])
#else
#define R1 0
#endif
#if NR > 2
#define R2 (nf == rg[2])
#else
#define R2 0
#endif
#ifdef CTRGEN
byte ctr = 0;
#define FRESH(x) ctr++; x = ctr; ex = 1
#else
/* smallest id no live variable refers to: indistinguishable from a never-used 64-bit random number */
#define FRESH(x) nf = 1; do :: (nf == gen || nf == eg || RID || R0 || R1 || R2) -> nf = nf + 1 :: else -> break od; x = nf; nf = 0; ex = 1
#endif
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
#define NOCELL (ex == 0)
#endif
#ifdef NSCELL
#define NSOK (me == fls)
#else
#define NSOK 1
#endif
/* the post of a write that could not mark: one script */
#define ABSENTPOST if \
  :: ok && NOCELL && NSOK -> FRESH(gen); ge = epoch; eg = gen; ev = v \
  :: else -> last = 0; if :: !(PENDING) -> FRESH(gen); ge = epoch :: else -> gen = 0 fi \
  fi
#define TOKEN(i,n) (i * WOPS + n)

#if NW == 1 || PROTO == 2
#define PENDING (mk[0] != 0)
#elif NW == 2
#define PENDING (mk[0] != 0 || mk[1] != 0)
#else
#define PENDING (mk[0] != 0 || mk[1] != 0 || mk[2] != 0)
#endif
#ifdef EPOCH
#define GENOK  (gen != 0 && ge == epoch)
#else
#define GENOK  (gen != 0)
#endif
#ifdef EPOCH
#define MEOK (me == epoch)
#else
#define MEOK 1
#endif
#define SEEN(x) if :: x > fl -> fl = x :: else -> skip fi

inline lose_markers() { mk[0] = 0;
#if NW > 1
   mk[1] = 0;
#endif
#if NW > 2
   mk[2] = 0;
#endif
   skip }
inline lose_cell() { gen = 0; ge = 0; last = 0; ex = 0; lose_markers();
#ifdef CTRGEN
   ctr = 0;
#endif
   skip }

#ifdef NOLIN
#define RETURN(x) assert(x <= db)
#define START s = 0
#else
#define RETURN(x) assert(x <= db); assert(x >= s); SEEN(x)
#define START s = fl
#endif

proctype Reader(byte id)
{
  byte s, v; bit hit;
  do
  ::
#if PROTO == 0
    d_step { START; if :: eg != 0 -> hit = 1; RETURN(ev); s = 0 :: else -> hit = 0; busy[id] = 1 fi }
    if
    :: hit -> hit = 0
    :: else ->
       d_step { v = db; RETURN(v); s = 0 }
       d_step { ev = v; eg = 1; v = 0; busy[id] = 0 }
    fi
#else
    /* RTT 1: one pipelined read; makes the generation if it is absent and no marker stands */
    d_step {
      START;
      if
      :: PENDING -> hit = 0; rg[id] = 0; busy[id] = 1
      :: else ->
         if :: GENOK -> skip :: else -> FRESH(gen); ge = epoch fi;
         if :: eg == gen -> hit = 1; RETURN(ev); s = 0
            :: else -> hit = 0; rg[id] = gen; busy[id] = 1
         fi
      fi
    }
    if
    :: hit -> hit = 0
    :: else ->
       /* load; the caller gets its answer here */
#ifdef REPLICAREAD
       d_step { v = rdb; RETURN(v); s = 0 }
#else
       d_step { v = db; RETURN(v); s = 0 }
#endif
#ifdef SNAPAFTER
       d_step { if :: !(PENDING) && GENOK -> rg[id] = gen :: else -> rg[id] = 0 fi };
#endif
       /* asynchronous, unconditional fill: whether it counts is decided by its generation */
       d_step { if :: rg[id] != 0 -> ev = v; eg = rg[id] :: else -> skip fi; rg[id] = 0; v = 0; busy[id] = 0 }
    fi
#endif
  od
}

#define UNLOCK if :: mylock -> rowlock = 0; mylock = 0 :: else -> skip fi
#ifdef CRASHMARKED
#define CANCRASH crashes < MAXCRASH && !ABSENT
#else
#define CANCRASH crashes < MAXCRASH
#endif
#define CRASH d_step { crashes++; txopen[id] = 0; UNLOCK }; goto fin

proctype Writer(byte id)
{
  byte v, n, tok; bit clean, ok, mylock, amb, open; byte me;
  do
  :: n == WOPS -> break
  :: else -> n++;
#ifdef ROWLOCK
     atomic { rowlock == 0 -> rowlock = 1; mylock = 1 }
#endif
     /* ---- mark: one script; it destroys the generation, so losing the marker can never revive it */
#if PROTO >= 2
     tok = TOKEN(id, n);
     if
#ifdef ABSENTWT
     :: ABSENT -> d_step { txopen[id] = 1; dead[id] = 0; me = fls }
#endif
     :: d_step { !ABSENT ->
          clean = !(PENDING);
#if PROTO == 2
          mk[0] = tok;
#else
          mk[id] = tok;
#endif
          last = tok; me = epoch; ex = 1;
#ifndef SEPKEY
          gen = 0;
#endif
          txopen[id] = 1; dead[id] = 0 }
#ifdef LATEMARK
     :: latemk[id] == 0 -> d_step { latemk[id] = tok; UNLOCK }; goto fin       /* fail closed: roll back */
#endif
#ifdef FAILOPEN
     :: d_step { open = 1; txopen[id] = 1; dead[id] = 0 }                       /* redis unreachable for this writer */
#endif
     fi;
#ifdef WAITREP
     /* WAIT; if it cannot be satisfied (marker lost by a failover, time-out) roll back and fail the write */
     if
     :: atomic { (r_mk[id] == tok || QMK) -> skip }
     :: atomic { (mk[id] != tok && !(r_mk[id] == tok || QMK)) -> txopen[id] = 0; UNLOCK; goto fin }
     fi;
#endif
#else
     d_step { txopen[id] = 1; dead[id] = 0; me = fls }
#endif
#ifdef EARLYSET
     d_step { FRESH(gen); ge = epoch; eg = gen; ev = db + 1 }
#endif
     /* ---- COMMIT */
     if
     :: d_step { dead[id]  -> ok = 0; txopen[id] = 0; UNLOCK }
     :: d_step { !dead[id] -> db++; v = db; ok = 1; txopen[id] = 0; UNLOCK }
     :: abts < ABORTS -> d_step { abts++; ok = 0; txopen[id] = 0; UNLOCK }
     :: CANCRASH -> CRASH
#ifdef AMBIG
     :: d_step { !dead[id] -> inflight[id] = 1; amb = 1; ok = 0 }
#endif
     fi;
#ifdef AMBIGKEEP
     if :: amb -> goto fin :: else -> skip fi;     /* outcome unknown: error to caller, marker stays */
#endif
     /* ---- post, and return to the caller */
     if
     :: CANCRASH -> CRASH
#ifdef ABSENTWT
     :: d_step { ABSENT -> ABSENTPOST; if :: ok -> SEEN(v) :: else -> skip fi }
#endif
     :: d_step { !ABSENT ->
#if PROTO == 0
          eg = 0;
#elif PROTO == 1
          FRESH(gen); ge = epoch;
#elif PROTO == 2
          if
          :: mk[0] == tok ->
               mk[0] = 0; FRESH(gen); ge = epoch;
               if :: ok -> eg = gen; ev = v :: else -> skip fi
          :: else ->
#ifndef NOREPAIR
               if :: mk[0] == 0 -> FRESH(gen); ge = epoch :: else -> gen = 0 fi
#else
               skip
#endif
          fi;
#else
          if
          :: !open && mk[id] == tok && MEOK ->
               mk[id] = 0;
               if
               :: !(PENDING) ->
                    FRESH(gen); ge = epoch;
#ifdef BADWT
                    if :: ok -> eg = gen; ev = v :: else -> skip fi
#else
                    if :: ok && clean && last == tok -> eg = gen; ev = v :: else -> skip fi
#endif
               :: else -> skip
               fi
          :: else ->
#ifndef NOREPAIR
#ifndef REPAIR0
               last = 0;            /* nobody may write through over us */
               if :: mk[id] == tok -> mk[id] = 0 :: else -> skip fi;   /* ours, revived by a failover */
#endif
               if :: !(PENDING) -> FRESH(gen); ge = epoch :: else -> gen = 0 fi
#else
               skip
#endif
          fi;
#endif
          if :: ok -> SEEN(v) :: else -> skip fi }
     fi;
#ifdef DUPPOST
     if :: dups == 0 -> dups = 1; run LatePost(id, tok, v, clean, ok) :: else -> skip fi;
#endif
     d_step { v = 0; tok = 0; clean = 0; ok = 0; open = 0; amb = 0; me = 0 }
  od;
fin:
  atomic { v = 0; tok = 0; clean = 0; ok = 0; open = 0; amb = 0; n = 0; me = 0; wdone++ }
}

#ifdef DUPPOST
proctype LatePost(byte id; byte tok; byte v; bit clean; bit ok)
{ byte me;
  d_step {
    if
    :: ABSENT -> ABSENTPOST
    :: !ABSENT && mk[id] == tok ->
         mk[id] = 0;
         if
         :: !(PENDING) ->
              FRESH(gen); ge = epoch;
              if :: ok && clean && last == tok -> eg = gen; ev = v :: else -> skip fi
         :: else -> skip
         fi
    :: else -> skip
    fi;
    dups = 2 }
}
#endif

#if PROTO == 2
#define KILL(i) dead[0] = txopen[0]; if :: NW > 1 -> dead[NW-1] = txopen[NW-1] :: else -> skip fi; inflight[0] = 0; inflight[NW-1] = 0
#else
#define KILL(i) dead[i] = txopen[i]; inflight[i] = 0
#endif
#ifdef FENCE
#define EXPIRE(i) :: exps < MAXEXP && mk[i] != 0 -> d_step { exps++; mk[i] = 0; KILL(i) }
#else
#define EXPIRE(i) :: exps < MAXEXP && mk[i] != 0 -> d_step { exps++; mk[i] = 0 }
#endif

proctype Env()
{
  do
  EXPIRE(0)
#if NW > 1 && PROTO != 2
  EXPIRE(1)
#endif
  :: evs < MAXEVICT -> d_step { evs++; lose_cell() }
  :: fls < MAXFLUSH -> d_step { fls++; lose_cell(); eg = 0; ev = 0 }
#if FAILOVER > 0
  :: fos < FAILOVER -> d_step { r_gen = gen; r_ge = ge; r_last = last; r_mk[0] = mk[0]; r_mk[NW-1] = mk[NW-1]; r_eg = eg; r_ev = ev }
#ifdef TWOREP
  :: fos < FAILOVER -> d_step { q_gen = gen; q_ge = ge; q_last = last; q_mk[0] = mk[0]; q_mk[NW-1] = mk[NW-1]; q_eg = eg; q_ev = ev }
  :: fos < FAILOVER -> d_step { fos++; gen = q_gen; ge = q_ge; last = q_last; mk[0] = q_mk[0]; mk[NW-1] = q_mk[NW-1]; eg = q_eg; ev = q_ev; epoch++;
        r_gen = 0; r_ge = 0; r_last = 0; r_mk[0] = 0; r_mk[NW-1] = 0; r_eg = 0; r_ev = 0; q_gen = 0; q_ge = 0; q_last = 0; q_mk[0] = 0; q_mk[NW-1] = 0; q_eg = 0; q_ev = 0 }
#endif
  :: fos < FAILOVER -> d_step { fos++; gen = r_gen; ge = r_ge; last = r_last; mk[0] = r_mk[0]; mk[NW-1] = r_mk[NW-1]; eg = r_eg; ev = r_ev; epoch++;
        r_gen = 0; r_ge = 0; r_last = 0; r_mk[0] = 0; r_mk[NW-1] = 0; r_eg = 0; r_ev = 0 }
#endif
#ifdef REPLICAREAD
  :: rdb < db -> rdb++
#endif
#ifdef LATEMARK
  :: latemk[0] > 0 && latemk[0] < 100 -> d_step { mk[0] = latemk[0]; last = latemk[0]; gen = 0; latemk[0] = 100 }
#if NW > 1 && PROTO != 2
  :: latemk[1] > 0 && latemk[1] < 100 -> d_step { mk[1] = latemk[1]; last = latemk[1]; gen = 0; latemk[1] = 100 }
#endif
#endif
#ifdef AMBIG
  :: inflight[0] -> d_step { inflight[0] = 0; db++; txopen[0] = 0; rowlock = 0 }
  :: inflight[0] -> d_step { inflight[0] = 0; txopen[0] = 0; rowlock = 0 }
#if NW > 1
  :: inflight[1] -> d_step { inflight[1] = 0; db++; txopen[1] = 0; rowlock = 0 }
  :: inflight[1] -> d_step { inflight[1] = 0; txopen[1] = 0; rowlock = 0 }
#endif
#endif
  od
}

#if NR > 1
#define RIDLE (!busy[0] && !busy[NR-1])
#else
#define RIDLE (!busy[0])
#endif
#if NW > 1
#define NOFLIGHT (!inflight[0] && !inflight[NW-1])
#else
#define NOFLIGHT (!inflight[0])
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
  /* quiescence; markers of crashed writers are about to run out (GENOK looks at what stands then) */
  d_step {
    (wdone == NW && RIDLE && NOFLIGHT && dups != 1);
    if
#if PROTO == 0
    :: eg != 0 -> assert(ev == db)
#else
    :: GENOK && eg == gen -> assert(ev == db)
#endif
    :: else -> skip
    fi
  }
#endif
}
