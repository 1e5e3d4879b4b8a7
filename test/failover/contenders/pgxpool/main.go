// A pgxpool under the same load, with libpq's list of hosts.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/signal"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

const (
	workers = 4
	think   = 50 * time.Millisecond
	retry   = 100 * time.Millisecond
)

type place struct {
	Contender, User, Password, CaFile string
	Hosts                             []string
	Port                              int
}

var out sync.Mutex

func tell(kind string, words ...any) {
	line := fmt.Sprint(time.Now().UnixMilli(), " ", kind)
	for _, word := range words {
		line += fmt.Sprint(" ", word)
	}
	out.Lock()
	defer out.Unlock()
	fmt.Println(line)
}

func code(err error) string {
	var answer *pgconn.PgError
	switch {
	case errors.As(err, &answer):
		return answer.Code
	case errors.Is(err, context.DeadlineExceeded):
		return "timeout"
	default:
		return "connection"
	}
}

func main() {
	var at place
	if err := json.Unmarshal([]byte(os.Getenv("FAILOVER_PLACE")), &at); err != nil {
		panic(err)
	}
	query := url.Values{
		"target_session_attrs": {"read-write"}, "sslmode": {"verify-full"}, "sslrootcert": {at.CaFile},
		"pool_max_conns": {"6"}, "connect_timeout": {"4"},
	}
	var hosts []string
	for _, host := range at.Hosts {
		hosts = append(hosts, fmt.Sprintf("%s:%d", host, at.Port))
	}
	config, err := pgxpool.ParseConfig(fmt.Sprintf("postgres://%s:%s@%s/postgres?%s",
		at.User, at.Password, strings.Join(hosts, ","), query.Encode()))
	if err != nil {
		panic(err)
	}
	var dialer net.Dialer
	config.ConnConfig.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
		tell("dial")
		return dialer.DialContext(ctx, network, address)
	}
	pool, err := pgxpool.NewWithConfig(context.Background(), config)
	if err != nil {
		panic(err)
	}
	stopped, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()

	var lastID atomic.Int64
	var running sync.WaitGroup
	for n := range workers {
		running.Add(1)
		go func() {
			defer running.Done()
			for turn := n; stopped.Err() == nil; turn++ {
				use(pool, at.Contender, turn%2 == 0, &lastID)
				time.Sleep(think)
			}
		}()
	}
	running.Wait()
	pool.Close()
	tell("ended", `{"left":0}`)
}

func use(pool *pgxpool.Pool, contender string, writes bool, lastID *atomic.Int64) {
	waiting, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	conn, err := pool.Acquire(waiting)
	if err != nil {
		tell("no-connection", code(err))
		time.Sleep(retry)
		return
	}
	defer conn.Release()
	limit, end := context.WithTimeout(context.Background(), 5*time.Second)
	defer end()
	if !writes {
		if _, err = conn.Exec(limit, "select count(*) from written where id < 0"); err == nil {
			tell("read")
		} else {
			tell("failed", code(err), "-")
		}
		return
	}
	id := lastID.Add(1)
	if _, err = conn.Exec(limit, "insert into written (contender, id) values ($1, $2)", contender, id); err == nil {
		tell("acked", id)
	} else {
		tell("failed", code(err), id)
	}
}
