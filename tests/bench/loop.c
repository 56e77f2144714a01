/* The reference work in C, as the yardstick of the benchmarks: what any engine must at least do.
 *
 * Prices in ticks, tables [bars][symbols] as the engine has them. One contract per symbol, entry at the open on a given
 * side, stop k x ATR behind it, trailed behind the last close, slippage and commission, equity at every close, one row
 * per closed trade. No orders, no margin, no other rule, no events.
 */
#include <math.h>
#include <stdint.h>

typedef struct {
    double o, h, l, c;
} bar_t;

typedef struct {
    int64_t symbol, entry_bar, exit_bar, side;
    double net;
} trade_t;

typedef struct {
    double side, average, stop, mark;
    int64_t entry_bar;
} position_t;

typedef struct {
    double multiple, tick_money, slippage, commission, cash;
} work_t;

static double against(double ticks, double side)
{
    return side > 0 ? ceil(ticks - 1e-6) : floor(ticks + 1e-6);
}

static int64_t leave(position_t *p, const work_t *w, double base, int64_t symbol, int64_t bar, double *cash,
                     trade_t *trades, int64_t count)
{
    double price = against(base - p->side * w->slippage, -p->side);
    double gross = (price - p->average) * p->side * w->tick_money;
    *cash += gross - w->commission;
    trades[count] = (trade_t){symbol, p->entry_bar, bar, (int64_t)p->side, gross - 2 * w->commission};
    p->side = 0;
    return count + 1;
}

static int passed(const position_t *p, double price)
{
    return (price - p->stop) * p->side <= 0;
}

/* Moving average cross and ATR, as the indicators have them: EMA seeded with the mean, Wilder's ATR. */
void signals(int64_t bars, int64_t symbols, const bar_t *table, int64_t fast, int64_t slow, int64_t period,
             int8_t *sides, double *atr)
{
    for (int64_t s = 0; s < symbols; s++) {
        double quick = 0, late = 0, range = 0, gap = 0;
        for (int64_t t = 0; t < bars; t++) {
            const bar_t *b = table + t * symbols + s;
            double before = b[-symbols * (t > 0)].c;
            double true_range = fmax(b->h, before) - fmin(b->l, before);
            quick = t < fast ? quick + b->c / fast : quick + (b->c - quick) * 2.0 / (fast + 1);
            late = t < slow ? late + b->c / slow : late + (b->c - late) * 2.0 / (slow + 1);
            if (t > 0)
                range = t <= period ? range + true_range / period : range + (true_range - range) / period;
            double now = quick - late;
            if (t + 1 < bars)
                sides[(t + 1) * symbols + s] = t < slow ? 0 : (now > 0 && gap <= 0) - (now < 0 && gap >= 0);
            gap = now;
            atr[t * symbols + s] = t < period ? NAN : range;
        }
    }
}

int64_t trade(int64_t bars, int64_t symbols, const bar_t *table, const int8_t *sides, const double *atr,
              const work_t *work, position_t *positions, double *equity, trade_t *trades)
{
    const work_t w = *work;
    double cash = w.cash;
    int64_t count = 0;
    for (int64_t t = 0; t < bars; t++) {
        double unrealised = 0;
        for (int64_t s = 0; s < symbols; s++) {
            position_t *p = positions + s;
            const bar_t *b = table + t * symbols + s;
            int64_t last = (t - 1) * symbols + s;
            if (p->side != 0 && passed(p, b->o))
                count = leave(p, &w, b->o, s, t, &cash, trades, count);
            if (p->side != 0) {
                double close = table[last].c;
                if ((close - p->average) * p->side > 0) {
                    double stop = against(close - p->side * w.multiple * atr[last], -p->side);
                    if ((stop - p->stop) * p->side > 0) {
                        p->stop = stop;
                        if (passed(p, b->o))
                            count = leave(p, &w, b->o, s, t, &cash, trades, count);
                    }
                }
            }
            if (p->side == 0 && sides[t * symbols + s] != 0 && t > 0 && isfinite(atr[last])) {
                p->side = sides[t * symbols + s];
                p->average = against(b->o + p->side * w.slippage, p->side);
                p->stop = against(b->o - p->side * w.multiple * atr[last], -p->side);
                p->entry_bar = t;
                cash -= w.commission;
            }
            if (p->side != 0) {
                if (p->side > 0 ? b->l <= p->stop : b->h >= p->stop)
                    count = leave(p, &w, p->stop, s, t, &cash, trades, count);
                else
                    unrealised += (b->c - p->average) * p->side * w.tick_money;
            }
        }
        equity[t] = cash + unrealised;
    }
    return count;
}
