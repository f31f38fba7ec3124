// SPDX-License-Identifier: GPL-2.0-or-later
// echo CONNECTIONS ROUNDS [wait]: goroutines send known bytes to each other over TCP, while memory is collected and
// signals preempt them. Go makes its system calls by itself, without a libc.
package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"sync"
	"sync/atomic"
)

var sent, received int64

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func transfer(connection net.Conn, bytes []byte, write bool) error {
	if write {
		count, err := connection.Write(bytes)
		atomic.AddInt64(&sent, int64(count))
		return err
	}
	count, err := io.ReadFull(connection, bytes)
	atomic.AddInt64(&received, int64(count))
	return err
}

func sizeOf(number, round int) int { return 1 + (round*977+number*131)%20000 }

func serve(connection net.Conn, number, rounds int, done *sync.WaitGroup) {
	defer done.Done()
	for round := 0; round < rounds; round++ {
		bytes := make([]byte, sizeOf(number, round))
		must(transfer(connection, bytes, false))
		must(transfer(connection, bytes, true))
	}
	must(connection.Close())
}

func talk(connection net.Conn, number, rounds int, done *sync.WaitGroup) {
	defer done.Done()
	for round := 0; round < rounds; round++ {
		bytes := make([]byte, sizeOf(number, round))
		for i := range bytes {
			bytes[i] = byte(i*31 + round + number)
		}
		must(transfer(connection, bytes, true))
		answer := make([]byte, len(bytes))
		must(transfer(connection, answer, false))
		if string(answer) != string(bytes) {
			panic("other bytes came back")
		}
	}
	must(connection.Close())
}

func collect(stop *int32) {
	for atomic.LoadInt32(stop) == 0 {
		runtime.GC()
	}
}

func main() {
	connections, err := strconv.Atoi(os.Args[1])
	must(err)
	rounds, err := strconv.Atoi(os.Args[2])
	must(err)
	debug.SetGCPercent(5)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	if len(os.Args) > 3 {
		fmt.Println("ready")
		_, err = os.Stdin.Read(make([]byte, 1))
		must(err)
	}
	var stop int32
	var done sync.WaitGroup
	go collect(&stop)
	for number := 0; number < connections; number++ {
		client, err := net.Dial("tcp", listener.Addr().String())
		must(err)
		server, err := listener.Accept()
		must(err)
		done.Add(2)
		go serve(server, number, rounds, &done)
		go talk(client, number, rounds, &done)
	}
	done.Wait()
	atomic.StoreInt32(&stop, 1)
	fmt.Printf("{\"sent\": %d, \"received\": %d}\n", sent, received)
}
